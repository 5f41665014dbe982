"""A placed drawing as SVG."""
