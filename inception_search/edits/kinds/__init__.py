"""The kinds of edits: what each may put in place of which steps. A new kind is a function and a row of the table."""
