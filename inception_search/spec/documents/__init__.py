"""How a network is written: YAML, short forms and dialects, read to a network and written again; schemas and tables."""
