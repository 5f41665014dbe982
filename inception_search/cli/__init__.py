"""The command line: one file per verb; heavy modules are imported only when they are needed."""
