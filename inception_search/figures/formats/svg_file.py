"""SVG: the figure as it is."""

from __future__ import annotations

from inception_search.figures.figure import Figure


def render(figure: Figure) -> bytes:
    """The SVG document."""
    return figure.svg.encode()
