"""Plain text: the outline, for terminals and screen readers."""

from __future__ import annotations

from inception_search.figures.figure import Figure


def render(figure: Figure) -> bytes:
    """The title and one line per box, indented by branch."""
    return f"{figure.title}\n\n{figure.outline}\n".encode()
