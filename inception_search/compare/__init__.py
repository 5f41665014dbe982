"""Two networks or two modules compared: what was added, removed and changed, and what it costs; no torch."""
