"""The formats by suffix; each is a function from a figure to the bytes of a file."""

from __future__ import annotations

from importlib import import_module

from inception_search.errors import ConfigError, did_you_mean

FORMATS: dict[str, str] = {
    ".svg": "formats.plain:svg",
    ".png": "formats.png:png",
    ".pdf": "paint.pdf:pdf",
    ".html": "formats.plain:html",
    ".dot": "formats.dot:dot",
    ".gv": "formats.dot:dot",
    ".mmd": "formats.mermaid:mermaid",
    ".mermaid": "formats.mermaid:mermaid",
    ".tex": "paint.tikz:tex",
    ".tikz": "paint.tikz:tikz",
    ".txt": "formats.plain:txt",
}
TEXT = tuple(suffix for suffix in FORMATS if suffix not in (".png", ".pdf"))  # formats that a terminal can show


def checked(suffix: str, path: str) -> str:
    """``suffix`` in lower case; raises :class:`ConfigError` naming ``path`` if there is no such format."""
    known = suffix.lower()
    if known in FORMATS:
        return known
    raise ConfigError(
        "a figure is not saved under this suffix",
        path=path,
        found=suffix,
        expected=f"one of {', '.join(FORMATS)}",
        hint=did_you_mean(known, FORMATS),
    )


def rendered(figure: object, suffix: str) -> bytes:
    """The bytes of a :class:`~inception_search.figures.figure.Figure` in the format of a suffix in :data:`FORMATS`."""
    module, function = FORMATS[suffix].split(":")
    data: bytes = getattr(import_module(f"inception_search.figures.{module}"), function)(figure)
    return data
