"""Plots of a search: one file per plot, one row in ``table.py``."""
