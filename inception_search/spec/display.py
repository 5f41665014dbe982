"""Figures of networks and modules, in a notebook or by ``draw()``.

The package ``figures`` imports this one, so it cannot be imported here; it is looked up by name when needed.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from inception_search.errors import InceptionSearchError


class Picture(Protocol):
    """The result of ``draw()``: a figure that a notebook shows directly."""

    @property
    def svg(self) -> str:
        """The SVG document."""

    def save(self, path: str | Path) -> Path:
        """Write the figure in the format of the suffix (``.svg``, ``.png``, ``.pdf``, ``.dot`` ...)."""


class Pictured:
    """Base class of everything that can be drawn."""

    def draw(self, **options: Any) -> Picture:
        """The figure of this item, with the options of :func:`inception_search.draw` (style, flow, title ...)."""
        picture: Picture = import_module("inception_search.figures.draw").draw(self, **options)
        return picture

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.draw().svg, "text/plain": repr(self)}
        except InceptionSearchError:  # it uses blocks of a network, or shapes do not fit: show text only
            return {"text/plain": repr(self)}
