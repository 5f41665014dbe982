"""Fast inference: generated straight-line code for one image size, batch size and dtype."""
