"""The search: our own loop of ask, run, record and tell over a run folder."""
