"""Combines several drawings on one canvas, each under its heading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inception_search.figures.network.place import Heading, Placement
from inception_search.figures.type_metrics import room_for, wrapped

MARGIN = 20  # px, around the canvas
SPACE = 44  # between two panels
TITLE, SUBTITLE = 17, 14  # type sizes
SHAPE = (4, 3)  # preferred ratio of width to height for a sheet of several panels
LINES = 12  # of a title; longer ones, which are not meant as titles, are cut
TRIES = 64  # column heights to try


@dataclass(frozen=True, slots=True)
class Panel:
    """A drawing and its heading; an empty heading takes no space."""

    heading: str
    drawing: Placement


def sheet(title: str, panels: Sequence[Panel], most: float | None = None) -> Placement:
    """The panels in columns, in order, below ``title``; margins included.

    ``most``: if the sheet would be wider than this many px, there are fewer columns.
    """
    blocks = [_titled(panel.heading, panel.drawing, SUBTITLE) for panel in panels]
    columns = _columns(blocks, None if most is None else most - 2 * MARGIN)
    inside = Placement(*_size(columns), axis=blocks[0].axis if len(blocks) == 1 else None)
    x = 0
    for column in columns:
        width, y = max(block.width for block in column), 0
        for block in column:
            inside.include(block, x + (width - block.width) // 2, y)
            y += block.height + SPACE
        x += width + SPACE
    return _framed(_titled(title, inside, TITLE))


def _titled(title: str, drawing: Placement, size: int) -> Placement:
    """``drawing`` under the lines of ``title``, centred on its trunk as far as its width allows."""
    if not title:
        return drawing
    lines = wrapped(title, size, max(drawing.width, 320), bold=True, limit=LINES)
    longest = max(room_for(line, size, bold=True) for line in lines)
    width = max(drawing.width, longest)
    width += (width - drawing.width) % 2
    step = size + size // 3
    top, left = step * len(lines) + 12, (width - drawing.width) // 2
    out = Placement(width, drawing.height + top, axis=None if drawing.axis is None else drawing.axis + left)
    middle = out.title_axis(longest)
    out.headings = [Heading(line, middle, size + step * i, size) for i, line in enumerate(lines)]
    out.include(drawing, left, top)
    return out


def _framed(drawing: Placement) -> Placement:
    out = Placement(drawing.width + 2 * MARGIN, drawing.height + 2 * MARGIN)
    out.include(drawing, MARGIN, MARGIN)
    return out


def _columns(blocks: Sequence[Placement], most: float | None) -> list[list[Placement]]:
    """The blocks in columns, filled in order, so that the canvas comes closest to the preferred shape."""
    tallest = max(block.height for block in blocks)
    total = sum(block.height + SPACE for block in blocks)
    heights = range(tallest, total + 1, max(1, (total - tallest) // TRIES))
    tries = [_filled(blocks, height) for height in heights] + ([] if most is None else [[list(blocks)]])
    narrow = tries if most is None else [columns for columns in tries if _size(columns)[0] <= most]
    return min(narrow, key=_misfit) if narrow else min(tries, key=lambda columns: _size(columns)[0])


def _filled(blocks: Sequence[Placement], height: int) -> list[list[Placement]]:
    columns: list[list[Placement]] = []
    free = -1
    for block in blocks:
        if free < block.height:
            columns.append([])
            free = height
        columns[-1].append(block)
        free -= block.height + SPACE
    return columns


def _size(columns: Sequence[Sequence[Placement]]) -> tuple[int, int]:
    widths = [max(block.width for block in column) for column in columns]
    heights = [sum(b.height for b in column) + SPACE * (len(column) - 1) for column in columns]
    return sum(widths) + SPACE * (len(widths) - 1), max(heights)


def _misfit(columns: Sequence[Sequence[Placement]]) -> tuple[int, int]:
    """The deviation of a sheet from the preferred shape, then its height; integers give the same bytes everywhere."""
    width, height = _size(columns)
    wide, high = width * SHAPE[1], height * SHAPE[0]
    return 1000 * max(wide, high) // max(1, min(wide, high)), height
