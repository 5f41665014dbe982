"""The formats made from a figure's SVG, alone or in a page, or from its outline in words."""

from __future__ import annotations

from inception_search.figures.figure import Figure
from inception_search.figures.paint.svg import text


def svg(figure: Figure) -> bytes:
    """The SVG document."""
    return figure.svg.encode()


def html(figure: Figure) -> bytes:
    """A self-contained page without scripts that contains only the figure."""
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{text(figure.title)}</title>\n"
        "<style>body { margin: 1rem; text-align: center } svg { max-width: 100%; height: auto }</style>\n"
        f"</head>\n<body>\n{figure.svg}</body>\n</html>\n"
    )
    return page.encode()


def txt(figure: Figure) -> bytes:
    """The title and one line per box, indented by branch."""
    return f"{figure.title}\n\n{figure.outline}\n".encode()
