"""How a figure becomes a file: one file per format, one row per suffix in ``table.py``."""
