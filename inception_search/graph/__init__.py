"""Level 2: the flat, typed, immutable graph of primitive operations. Torch only inside ``Op.build``."""
