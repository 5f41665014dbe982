"""Timing of a plan on the machine that networks are for; this room imports nothing else of the package."""
