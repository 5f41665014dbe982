"""Printing of figures: their width and type size (``size.py``), and their colours (``palettes.py``)."""
