"""Strategies: which point of a space is tried next. One file each, and a row in ``table``."""
