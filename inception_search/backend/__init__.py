"""From graphs to PyTorch."""
