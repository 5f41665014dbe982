"""Documents: reading and writing networks as YAML, short forms, dialects, the JSON Schema and tables of fields."""
