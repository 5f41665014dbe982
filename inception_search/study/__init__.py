"""The search: the loop that proposes, trains, records and reports trials in a run folder."""
