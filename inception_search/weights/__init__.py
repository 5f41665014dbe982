"""Weights: safe readers, the names and layouts of other implementations, strict loading, export."""
