"""Figures of networks, modules and searches: SVG drawings, plots, tables and interactive pages."""
