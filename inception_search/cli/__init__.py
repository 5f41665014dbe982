"""The command line: one file per verb, no heavy import before it is needed."""
