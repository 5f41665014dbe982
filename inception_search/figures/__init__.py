"""Pictures of networks, modules and searches: SVG drawings, plots, tables and the report of a run."""
