"""The kinds of edits and the replacements that each allows. A new kind is a function and a row of the table."""
