"""File formats of figures: one file per format, one row per suffix in ``table.py``."""
