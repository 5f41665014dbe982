"""What a picture needs on paper: its width and type size (``size.py``), and its colours (``palettes.py``)."""
