"""The formats by suffix; each is a file of this folder with a function ``render(figure) -> bytes``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from inception_search.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from inception_search.figures.figure import Figure

FORMATS: dict[str, str] = {
    ".svg": "svg_file",
    ".png": "png",
    ".pdf": "pdf",
    ".html": "html",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".tex": "tex",
    ".tikz": "tikz",
    ".txt": "txt",
}
TEXT = tuple(suffix for suffix in FORMATS if suffix not in (".png", ".pdf"))  # those a terminal can show


def checked(suffix: str, path: str) -> str:
    """``suffix`` in small letters; :class:`ConfigError` naming ``path`` where there is no such format."""
    known = suffix.lower()
    if known in FORMATS:
        return known
    raise ConfigError(
        "a figure is not saved under this suffix",
        path=path,
        found=suffix,
        expected=f"one of {', '.join(FORMATS)}",
        mend=did_you_mean(known, FORMATS),
    )


def rendered(figure: Figure, suffix: str) -> bytes:
    """The bytes of ``figure`` in the format of a suffix of :data:`FORMATS`."""
    module = import_module(f"inception_search.figures.formats.{FORMATS[suffix]}")
    data: bytes = module.render(figure)
    return data
