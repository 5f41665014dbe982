"""Published weights: the catalogue, the caches of other packages, and their download."""
