"""The words that each paper writes into its figures: one file per paper, one row in ``table.py``."""
