"""How a network or a module shows itself, in a notebook or by ``draw()``.

The drawings are the figures' work, a room that knows this one and is not known by it; it is found by its name when
something is drawn.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from inception_search.errors import InceptionSearchError


class Picture(Protocol):
    """What ``draw()`` gives: a figure, shown in a notebook as it is."""

    @property
    def svg(self) -> str:
        """The SVG document."""

    def save(self, path: str | Path) -> Path:
        """Write it; the suffix says how (``.svg``, ``.png``, ``.pdf``, ``.dot`` ...)."""


class Pictured:
    """Something that can be drawn."""

    def draw(self, **options: Any) -> Picture:
        """Its picture; the options are those of :func:`inception_search.draw` (style, flow, title, blocks ...)."""
        picture: Picture = import_module("inception_search.figures.draw").draw(self, **options)
        return picture

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.draw().svg, "text/plain": repr(self)}
        except InceptionSearchError:  # uses blocks of a network, or does not fit: its words at least
            return {"text/plain": repr(self)}
