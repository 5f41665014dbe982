"""Figures of the differences between two networks, and of the edits from one to another."""
