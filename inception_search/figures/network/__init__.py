"""The drawing of a network: its tree, measured bottom up, placed top down, and several on one canvas."""
