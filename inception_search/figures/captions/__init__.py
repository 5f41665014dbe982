"""The terms of the papers' figures (``papers.py``), as captions for boxes (``words.py``)."""
