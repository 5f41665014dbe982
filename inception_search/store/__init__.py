"""The run folder: trial records, the outbox of results, the lock, and safe reading and writing of its files."""
