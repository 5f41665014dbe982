"""Measures of a network before training, budgets on them, and sampling of points within a budget."""
