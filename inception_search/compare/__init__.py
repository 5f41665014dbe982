"""Compares two networks or two modules: what was added, removed and changed, and the change in cost; without torch."""
