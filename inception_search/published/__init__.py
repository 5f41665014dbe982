"""Published weights of the canonical networks: which exist, where they are kept, and how they are fetched."""
