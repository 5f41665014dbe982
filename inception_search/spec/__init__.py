"""Level 1: networks as declarative trees of steps, as people write them. Imports neither torch nor the graph."""
