"""Figures with a given printed size: their width, type size and palette.

A px of a drawing is 1/96 inch, so its type is 9.75 pt and its small type 9 pt. A figure that is too wide gets narrower
boxes with wrapped words; if that is not enough, it is scaled down. The figure has a note if its type is smaller than
:data:`LEAST` points or the requested size, or if it is taller than a page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import get_args

from inception_search.errors import ConfigError, did_you_mean
from inception_search.figures.network.measure import BETWEEN, BOX_MIN_WIDTH, SMALL, TEXT, Room
from inception_search.figures.network.place import Placement
from inception_search.figures.network.tree import Box, Column, Fork, Group, Mesh, Note, Part, Residual, Tap
from inception_search.figures.printing.palettes import PaletteName
from inception_search.figures.type_metrics import wrapped

PX = {"px": 1.0, "pt": 96 / 72, "bp": 96 / 72, "texpt": 96 / 72.27, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
UNITS = "px, pt (1/72 inch; also bp), texpt (TeX's pt, 1/72.27 inch), mm, cm or in"
IN_SVG = {"bp": "pt", "texpt": "pt"}  # replacements for units that SVG does not have
PAGES = {"Letter": 11.0, "A4": 297 / 25.4}  # heights in inches
LEAST = 6.0  # pt, the smallest legible type on paper
_LENGTH = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(px|pt|bp|texpt|mm|cm|in)\s*")
_STEPS = {"in": 0.1, "cm": 0.1}  # steps of a recommended width; 1 for any other unit
_WRAPPED = (72, 56, 44, 32)  # px, line widths to try for the words of a box


@dataclass(frozen=True, slots=True)
class Print:
    """How a figure is printed: ``width`` in ``unit`` (None: natural width), with type of ``font_size`` points."""

    width: float | None = None
    unit: str = "px"
    font_size: float | None = None
    palette: PaletteName = "colour"

    @property
    def sized(self) -> bool:
        """Whether the figure has a printed size, different from that on screen."""
        return self.width is not None or self.font_size is not None

    @property
    def room(self) -> float | None:
        """The largest width, in px of the drawing, at which its type is large enough; None: any."""
        if self.width is None:
            return None
        return self.width * PX[self.unit] / self.least

    @property
    def least(self) -> float:
        """The smallest allowed scale of the drawing."""
        return self.font_size / (TEXT * PX_IN_POINTS) if self.font_size else LEAST / (SMALL * PX_IN_POINTS)

    def scale(self, width: int) -> float:
        """The printed size of a px of a drawing ``width`` px wide; 1.0 is the size on screen."""
        requested = self.font_size / (TEXT * PX_IN_POINTS) if self.font_size else 1.0
        return requested if self.width is None else min(requested, self.width * PX[self.unit] / width)

    def height(self, drawing: Placement) -> float:
        """The printed height of a drawing, in px of 1/96 inch."""
        return self.scale(drawing.width) * drawing.height

    def note(self, drawing: Placement, less: str = "") -> str:
        """A note if the type of a drawing is too small or it is taller than a page; else empty.

        ``less`` lists options that reduce the content.
        """
        narrow, tall = self._of_type(drawing.width), self._of_height(drawing)
        advice = f", or less to draw: {less}" if less and (narrow or tall) else ""
        return "; ".join(filter(None, (narrow + advice, tall) if narrow else (tall + advice,)))

    def pages_below(self, drawing: Placement) -> list[str]:
        """The page sizes that a drawing is taller than; empty on a screen."""
        if not self.sized or (self.unit == "px" and self.width is not None):
            return []
        return [name for name, inches in PAGES.items() if self.height(drawing) > inches * PX["in"]]

    def _of_height(self, drawing: Placement) -> str:
        over, height = self.pages_below(drawing), self.height(drawing)
        if not over:
            return ""
        unit = "in" if self.unit == "px" else self.unit
        pages = " and ".join(f"{name} is {PAGES[name] * PX['in'] / PX[unit]:.4g}{unit}" for name in over)
        return f"the figure is {height / PX[unit]:.4g}{unit} tall, more than a page: {pages}"

    def _of_type(self, width: int) -> str:
        scale = self.scale(width)
        size, required = (TEXT, self.font_size) if self.font_size else (SMALL, LEAST)
        points = size * PX_IN_POINTS * scale
        if self.width is None or points >= required - 0.01:  # so that two digits show the difference
            return ""
        step = _STEPS.get(self.unit, 1)
        needed = math.ceil(width * self.least / PX[self.unit] / step - 0.001) * step
        return (
            f"at a width of {self.width:g}{self.unit} the {'' if self.font_size else 'smallest '}type is "
            f"{points:.2f} pt, less than {required:g} pt; that needs a width of {needed:.6g}{self.unit}"
        )


PX_IN_POINTS = 0.75


def print_of(width: str | float | None, font_size: float | None, palette: str | None) -> Print:
    """The options as a :class:`Print`; raises :class:`ConfigError` for an invalid length, size or palette."""
    found, unit = None, "px"
    if width is not None:
        match = _LENGTH.fullmatch(width if isinstance(width, str) else f"{width}px")
        if match is None or not 20 <= float(match[1]) * PX[match[2]] <= 20_000:
            raise ConfigError(
                "the width cannot be used",
                path="width",
                found=width,
                expected=f"a length with its unit, such as 240pt; {UNITS}",
            )
        found, unit = float(match[1]), match[2]
    if font_size is not None and not (isinstance(font_size, int | float) and 1 <= font_size <= 100):
        raise ConfigError("the font size cannot be used", path="font_size", found=font_size, expected="1 to 100 points")
    known = get_args(PaletteName)
    if palette is not None and palette not in known:
        hint = did_you_mean(str(palette), known)
        raise ConfigError(
            "unknown palette", path="palette", found=palette, expected=f"one of {', '.join(known)}", hint=hint
        )
    return Print(found, unit, font_size, palette or "colour")  # type: ignore[arg-type]


def fitted(how: Print, lay_out: Callable[[Callable[[Part], Part], Room], Placement], *, turned: bool) -> Placement:
    """The first drawing by ``lay_out``, with ever narrower boxes, that is not too wide.

    If a drawing is taller than a page, narrower boxes may allow more columns: the lowest drawing is used.
    """
    narrow: list[Placement] = []
    for change, room in _rooms():
        drawing = lay_out(change, replace(room, turned=turned))
        if how.room is None or drawing.width <= how.room:
            if not how.pages_below(drawing):
                return drawing
            narrow.append(drawing)
    return min(narrow, key=how.height) if narrow else drawing


def padded(drawing: Placement, how: Print) -> Placement:
    """``drawing`` centred on a canvas of the requested width."""
    if how.width is None:
        return drawing
    width = round(how.width * PX[how.unit] / how.scale(drawing.width))
    out = Placement(max(width, drawing.width), drawing.height)
    out.include(drawing, (out.width - drawing.width) // 2, 0)
    return out


def _rooms() -> Iterator[tuple[Callable[[Part], Part], Room]]:
    yield _as_it_is, Room()
    yield _as_it_is, Room(least=BOX_MIN_WIDTH // 2, between=2 * BETWEEN // 3)
    for width in _WRAPPED:
        yield partial(_wrapped, width=width), Room(least=width + 8, between=BETWEEN // 2)


def _as_it_is(part: Part) -> Part:
    return part


def _wrapped(part: Part, width: int) -> Part:
    """``part`` with the words of every box in lines of ``width`` px, or as wide as the longest word."""
    if isinstance(part, Box):
        lines = (
            piece
            for index, line in enumerate(part.lines)
            for piece in wrapped(line, SMALL if index else TEXT, width, limit=8, cut=False)
        )
        return replace(part, lines=tuple(lines))
    if isinstance(part, Column):
        return Column(tuple(_wrapped(inner, width) for inner in part.parts))
    if isinstance(part, Fork):
        return replace(part, branches=tuple(_wrapped(branch, width) for branch in part.branches))
    if isinstance(part, Residual | Group):
        return replace(part, body=_wrapped(part.body, width))
    if isinstance(part, Mesh):
        return replace(part, parts=tuple(_wrapped(inner, width) for inner in part.parts))
    return part if isinstance(part, Note) else Tap(_wrapped(part.side, width))
