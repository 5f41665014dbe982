"""The canonical networks, shipped as documents."""
