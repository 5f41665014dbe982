"""What a run folder holds: the trial records, the search index, the outbox of results and the lock."""
