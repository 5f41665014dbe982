"""The drawing of a network: its tree, measured bottom up, placed top down, several composed on one canvas."""
