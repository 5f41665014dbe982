"""What a run folder holds: the trial records, the journal of the Optuna study, the outbox of results and the lock."""
