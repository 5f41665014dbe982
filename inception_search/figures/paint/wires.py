"""The path data of wires: rounded corners, arrow heads, and no part drawn twice.

The wires of a fork begin with the same part. If it were drawn for each wire, it would look bolder than the rest, so a
later wire starts where it leaves the earlier ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from inception_search.figures.network.place import Path, Point, Wire

BEND = 7  # px, radius of corners
# For every drawn prefix of a path, how far such paths continue, by the first point of their continuation.
Legs: TypeAlias = dict[Path, dict[Point, int]]
HEAD_LENGTH, HEAD_WIDTH = 8, 8  # px, arrow heads


def lines(wires: Iterable[Wire]) -> list[str]:
    """The path data of every wire, ending just before the tip of its arrow head."""
    drawn: set[Path] = set()
    legs: Legs = {}
    out = []
    for wire in wires:
        if wire.points not in drawn:
            out.append(_rounded(_ending(_trimmed(wire.points, legs), wire.arrow)))
            drawn.add(wire.points)
            _remember(wire.points, legs)
    return out


def heads(wires: Iterable[Wire]) -> str:
    """The path data of all arrow heads, each with its tip on the last point of its wire."""
    return "".join(dict.fromkeys(_head(wire.points) for wire in wires if wire.arrow))


def _trimmed(points: Path, legs: Legs) -> Path:
    """``points`` from a corner's radius before the point where they leave the earlier path that they follow longest."""
    index = 0
    while index + 1 < len(points) and points[: index + 2] in legs:
        index += 1
    beyond = _beyond(points, index, legs)
    if beyond:
        start = _towards(points[index], points[index + 1], max(beyond - BEND, 0))
        return (start, *points[index + 1 :])
    if index:
        back = min(BEND, _length(points[index], points[index - 1]))
        return (_towards(points[index], points[index - 1], back), *points[index:])
    return points


def _beyond(points: Path, index: int, legs: Legs) -> int:
    """How many px an earlier path runs along with ``points`` beyond their last common corner."""
    if index + 1 == len(points):
        return 0
    here, following = points[index], points[index + 1]
    known = legs.get(points[: index + 1], {})
    return min(_length(here, following), known.get(_towards(here, following, 1), 0))


def _remember(points: Path, legs: Legs) -> None:
    for index, here in enumerate(points):
        known = legs.setdefault(points[: index + 1], {})
        for following in points[index + 1 : index + 2]:
            way = _towards(here, following, 1)
            known[way] = max(known.get(way, 0), _length(here, following))


def _ending(points: Path, arrow: bool) -> Path:
    return (*points[:-1], _towards(points[-1], points[-2], HEAD_LENGTH - 1)) if arrow else points


def _rounded(points: Path) -> str:
    out = [f"M{points[0][0]} {points[0][1]}"]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        bend = min(BEND, _length(before, here), _length(here, after))
        into, out_of = _towards(here, before, bend), _towards(here, after, bend)
        out.append(f"L{into[0]} {into[1]}Q{here[0]} {here[1]} {out_of[0]} {out_of[1]}")
    return "".join([*out, f"L{points[-1][0]} {points[-1][1]}"])


def _head(points: Path) -> str:
    (x, y), (base_x, base_y) = points[-1], _towards(points[-1], points[-2], HEAD_LENGTH)
    half = HEAD_WIDTH // 2
    dx, dy = (half, 0) if base_x == x else (0, half)
    return f"M{x} {y}L{base_x + dx} {base_y + dy}L{base_x - dx} {base_y - dy}Z"


def _towards(start: Point, end: Point, distance: int) -> Point:
    """The point ``distance`` px from ``start`` on the way to ``end``, which is straight up, down or across."""
    sign = [(e > s) - (e < s) for s, e in zip(start, end, strict=True)]
    return (start[0] + sign[0] * distance, start[1] + sign[1] * distance)


def _length(a: Point, b: Point) -> int:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])
