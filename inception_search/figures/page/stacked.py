"""The drawing tree in the form that the page's script stacks; fixed sizes and positions are computed here.

A part without foldable groups is rigid: its boxes and wires are placed, and the script only moves them. Around foldable
blocks, repeats and stages the script adds up heights and widths. Parts are lists with a leading letter, to stay small:
``x`` rigid, ``c`` column, ``f`` fork, ``r`` residual, ``g`` group, ``t`` tap.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeAlias

from inception_search.figures.network.measure import (
    DROP,
    SMALL,
    STUB,
    box_width,
    gap,
    gap_to_plus,
    most_lines,
    starts_forked,
)
from inception_search.figures.network.place import from_entry
from inception_search.figures.network.tree import Box, Column, Fork, Group, Part, Residual, Tap, column
from inception_search.figures.type_metrics import room_for

Json: TypeAlias = Any
LINES = 2  # least number of lines per box; all boxes have as many as the largest one


def stacked(part: Part) -> Json:
    """``part`` as JSON data."""
    steady, lines = prepared(part)
    return _data(steady, lines)


def prepared(part: Part) -> tuple[Part, int]:
    """``part`` with box widths that do not depend on folding, and the number of lines that every box has room for."""
    return _steady(part), max(LINES, _lines(part))


def _steady(part: Part) -> Part:
    if isinstance(part, Column):
        inner = [_steady(p) for p in part.parts]
        known = [p if isinstance(p, Box) else p.folded for p in inner if isinstance(p, Box | Group)]
        width = max((box_width(box) for box in known if box), default=0)
        return column(*(_wide(p, width) for p in inner))
    if isinstance(part, Fork):
        return replace(part, branches=tuple(map(_steady, part.branches)))
    if isinstance(part, Residual | Group):
        return replace(part, body=_steady(part.body))
    return Tap(_steady(part.side)) if isinstance(part, Tap) else part


def _wide(part: Part, width: int) -> Part:
    if isinstance(part, Group) and part.folded:
        return replace(part, folded=replace(part.folded, width=width))
    return replace(part, width=width) if isinstance(part, Box) else part


def _inside(part: Part) -> tuple[Part, ...]:
    """The parts of a part that may contain something foldable."""
    if isinstance(part, Column):
        return part.parts
    if isinstance(part, Fork):
        return part.branches
    if isinstance(part, Residual | Group):
        return (part.body,)
    return (part.side,) if isinstance(part, Tap) else ()


def _lines(part: Part) -> int:
    folded = [part.folded] if isinstance(part, Group) and part.folded else []
    return max(most_lines(part), *map(most_lines, folded), *map(_lines, _inside(part)), 1)


def _foldable(part: Part) -> bool:
    return (isinstance(part, Group) and part.folded is not None) or any(map(_foldable, _inside(part)))


def _data(part: Part, lines: int) -> Json:
    if not _foldable(part):
        return _rigid(part, lines)
    inner = [_data(each, lines) for each in _inside(part)]
    if isinstance(part, Column):
        return ["c", [0, *(gap(before, after) for before, after in pairwise(part.parts))], *inner]
    if isinstance(part, Fork):
        return ["f", _rigid(part.join, lines) if part.join else 0, *inner]
    if isinstance(part, Residual):
        head = 0 if starts_forked(part.body) else STUB + DROP
        return ["r", *inner, part.path, head, gap_to_plus(part.body)]
    if isinstance(part, Group):
        fold = (box_data(part.folded, "fold"), _rigid(part.folded, lines, "fold")) if part.folded else (0, 0)
        return ["g", part.label, *inner, fold[0], room_for(part.label, SMALL), fold[1]]
    return ["t", *inner]


def box_data(box: Box, *more: str) -> Json:
    """A box; ``more`` marks it as the folded form of a group."""
    return ["b", list(box.lines), box.kind, box.path, int(box.slim), box.tip if not box.path else "", *more]


def _rigid(part: Part, lines: int, *more: str) -> Json:
    """Extent and height; boxes, wires, leaving paths, sums, frames and notes, relative to axis and top.

    A path that begins at (0, 0) continues the wires that enter: a single point all of them, a path the first one.
    """
    sized, drawing, ends = from_entry(part, lines)
    return [
        *("x", sized.left, sized.right, sized.height),
        [[box_data(b.box, *more), b.x, b.y, b.width, b.height] for b in drawing.boxes],
        [[[*map(list, wire.points)], int(wire.arrow)] for wire in drawing.wires],
        [[*map(list, end)] for end in ends],
        [[plus.x, plus.y, plus.path] for plus in drawing.pluses],
        [[frame.label, frame.x, frame.y, frame.width, frame.height] for frame in drawing.frames],
        [[note.text, note.x, note.y] for note in drawing.texts],
    ]
