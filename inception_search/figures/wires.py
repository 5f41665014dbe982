"""The path data of wires: rounded corners, arrow heads, and no stretch drawn twice.

The wires of a fork begin with the same stretch. Drawn once each, the stretch would look bolder than the rest, so
a later wire starts where it leaves the earlier ones.
"""

from __future__ import annotations

from collections.abc import Iterable

from inception_search.figures.layout import Path, Point, Wire

BEND = 7  # px, radius of corners
HEAD_LENGTH, HEAD_WIDTH = 8, 8  # px, arrow heads


def lines(wires: Iterable[Wire]) -> list[str]:
    """The path data of every wire, ending short of the tip of its arrow head."""
    drawn: dict[Point, list[Path]] = {}
    out = []
    for wire in wires:
        earlier = drawn.setdefault(wire.points[0], [])
        if wire.points not in earlier:
            out.append(_rounded(_ending(_trimmed(wire.points, earlier), wire.arrow)))
            earlier.append(wire.points)
    return out


def heads(wires: Iterable[Wire]) -> str:
    """The path data of all arrow heads, each with its tip on the last point of its wire."""
    return "".join(dict.fromkeys(_head(wire.points) for wire in wires if wire.arrow))


def _trimmed(points: Path, earlier: Iterable[Path]) -> Path:
    """``points`` from a corner's radius before they leave the earlier path they follow longest."""
    best: tuple[int, int] = (0, 0)
    for other in earlier:
        best = max(best, _shared(points, other))
    index, beyond = best
    if beyond:
        start = _towards(points[index], points[index + 1], max(beyond - BEND, 0))
        return (start, *points[index + 1 :])
    if index:
        back = min(BEND, _length(points[index], points[index - 1]))
        return (_towards(points[index], points[index - 1], back), *points[index:])
    return points


def _shared(a: Path, b: Path) -> tuple[int, int]:
    """The last corner two paths have in common, and how many px they run together beyond it."""
    index = 0
    while index + 1 < min(len(a), len(b)) and a[index + 1] == b[index + 1]:
        index += 1
    if index + 1 >= min(len(a), len(b)):
        return index, 0
    here, mine, other = a[index], a[index + 1], b[index + 1]
    if _towards(here, mine, 1) != _towards(here, other, 1):
        return index, 0
    return index, min(_length(here, mine), _length(here, other))


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
