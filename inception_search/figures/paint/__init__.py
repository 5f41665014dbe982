"""A placed drawing painted as SVG, PDF or TikZ: one painter for each format."""
