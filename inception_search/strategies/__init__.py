"""Search strategies, which choose the next point of a space. Each has one file, and a row in ``table``."""
