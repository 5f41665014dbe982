"""Level 2: the flat, typed, immutable graph of primitive operations. Only ``Op.build`` imports torch."""
