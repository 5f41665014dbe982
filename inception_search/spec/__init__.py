"""Level 1: the declarative tree people write. No torch, no graph."""
