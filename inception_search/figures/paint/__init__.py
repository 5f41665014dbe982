"""A placed drawing painted as SVG, PDF or TikZ, with one painter per format."""
