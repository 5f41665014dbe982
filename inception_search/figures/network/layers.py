"""A layered drawing of parts that read each other in any order: rows, their order, and every part's axis.

Each part is in the lowest possible row, so that short paths end at their join. A value that is read further down runs
through the rows between in its own lane, so that no wire crosses a box. The order within a row is the declared one,
changed where that reduces crossings. Only sums, products and comparisons of numbers decide, so the result is the same
on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, TypeAlias

ENTRY = -1  # the input value
SWEEPS = 8
SNAP = 16  # px
LANE_PULL, CHAIN_PULL = 8, 4  # weights that keep lanes and chains straighter than other wires


class Stop(NamedTuple):
    """A place in a row: that of a part, or of the lane that carries the part's value through the row."""

    source: int
    lane: bool


class Extent(NamedTuple):
    """How far a stop reaches to the left and right of its axis, in px."""

    left: int
    right: int


Row: TypeAlias = list[Stop]
Link: TypeAlias = tuple[Stop, Stop]  # from a stop to one in the next row


@dataclass(slots=True)
class Rows:
    """The rows from the entry (alone in the first) to the output part (alone in the last), and their links."""

    rows: list[Row]
    links: list[list[Link]]  # links[i] lead from row i to row i + 1
    axes: dict[tuple[int, Stop], int] = field(default_factory=dict)


def arranged(reads: Sequence[Sequence[int]], extents: Sequence[Extent], lane: Extent, between: int) -> Rows:
    """Rows with an axis for every stop; ``reads[i]`` are the inputs of part i: earlier parts, or ENTRY."""
    rows = _rows(reads)
    _order(rows)
    sizes = [{s: lane if s.lane or s.source == ENTRY else extents[s.source] for s in row} for row in rows.rows]
    _axes(rows, sizes, between)
    return rows


def _rows(reads: Sequence[Sequence[int]]) -> Rows:
    last = len(reads) - 1
    distance = {last: 0}  # rows below a part
    for part in range(last, -1, -1):
        for source in reads[part]:
            distance[source] = max(distance.get(source, 0), distance[part] + 1)
    row = {part: distance[ENTRY] - below for part, below in distance.items()}
    deepest = {part: row[part] for part in row}
    for part, sources in enumerate(reads):
        for source in sources:
            deepest[source] = max(deepest[source], row[part])
    made = Rows([[] for _ in range(distance[ENTRY] + 1)], [[] for _ in range(distance[ENTRY])])
    for part in sorted(row):
        made.rows[row[part]].append(Stop(part, False))
        for level in range(row[part] + 1, deepest[part]):
            made.rows[level].append(Stop(part, True))
            made.links[level - 1].append((Stop(part, level - 1 > row[part]), Stop(part, True)))
    for part, sources in enumerate(reads):
        for source in dict.fromkeys(sources):
            level = row[part] - 1
            made.links[level].append((Stop(source, level > row[source]), Stop(part, False)))
    return made


def _order(rows: Rows) -> None:
    """Sort every row by the mean position of its neighbours, down and up, and keep the order with fewest crossings."""
    best, fewest = [list(row) for row in rows.rows], _crossings(rows)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        levels = range(1, len(rows.rows)) if downwards else range(len(rows.rows) - 2, -1, -1)
        for level in levels:
            links = rows.links[level - 1] if downwards else [(b, a) for a, b in rows.links[level]]
            _sort(rows.rows[level], rows.rows[level - 1 if downwards else level + 1], links)
        crossings = _crossings(rows)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows.rows], crossings
    rows.rows[:] = best


def _sort(row: Row, fixed: Row, links: Sequence[Link]) -> None:
    place = {stop: index for index, stop in enumerate(fixed)}
    linked: dict[Stop, list[int]] = {}
    for other, stop in links:
        linked.setdefault(stop, []).append(place[other])
    middle = {
        stop: sum(linked[stop]) / len(linked[stop]) if stop in linked else index for index, stop in enumerate(row)
    }
    row.sort(key=lambda stop: middle[stop])


def _crossings(rows: Rows) -> int:
    total = 0
    for level, links in enumerate(rows.links):
        above = {stop: i for i, stop in enumerate(rows.rows[level])}
        below = {stop: i for i, stop in enumerate(rows.rows[level + 1])}
        ends = [(above[a], below[b]) for a, b in links]
        total += sum((a - c) * (b - d) < 0 for i, (a, b) in enumerate(ends) for c, d in ends[:i])
    return total


def _axes(rows: Rows, sizes: Sequence[Mapping[Stop, Extent]], between: int) -> None:
    exact = [_packed(row, size, {}, between) for row, size in zip(rows.rows, sizes, strict=True)]
    for sweep in range(2 * SWEEPS):
        downwards = sweep % 2 == 0
        levels = range(1, len(exact)) if downwards else range(len(exact) - 2, -1, -1)
        for level in levels:
            links = rows.links[level - 1] if downwards else [(b, a) for a, b in rows.links[level]]
            preferred = _preferred(exact[level - 1 if downwards else level + 1], links)
            exact[level] = _packed(rows.rows[level], sizes[level], preferred, between)
    axes = [{stop: round(x) for stop, x in row.items()} for row in exact]
    axes[0] = dict(zip(axes[0], axes[-1].values(), strict=True))  # in and out on one axis
    for level in range(1, len(axes) - 1):
        _snap(rows.rows[level], sizes[level], axes[level], axes[level - 1], rows.links[level - 1], between)
    for level in range(len(axes) - 2, 0, -1):
        links = [(b, a) for a, b in rows.links[level]]
        _snap(rows.rows[level], sizes[level], axes[level], axes[level + 1], links, between)
    for level, row in enumerate(rows.rows):
        for stop in row:
            rows.axes[level, stop] = axes[level][stop]


def _snap(
    row: Row,
    size: Mapping[Stop, Extent],
    axes: dict[Stop, int],
    fixed: Mapping[Stop, int],
    links: Sequence[Link],
    between: int,
) -> None:
    """Put every stop with one neighbour on that neighbour's axis if it is close and there is room."""
    linked: dict[Stop, list[Stop]] = {}
    for other, stop in links:
        linked.setdefault(stop, []).append(other)
    for index, stop in enumerate(row):
        aims = linked.get(stop, [])
        if len(aims) != 1 or abs(fixed[aims[0]] - axes[stop]) > SNAP:
            continue
        x = fixed[aims[0]]
        left = row[index - 1] if index else None
        right = row[index + 1] if index + 1 < len(row) else None
        if left and axes[left] + size[left].right + between + size[stop].left > x:
            continue
        if right and x + size[stop].right + between + size[right].left > axes[right]:
            continue
        axes[stop] = x


def _preferred(fixed: Mapping[Stop, float], links: Sequence[Link]) -> dict[Stop, float]:
    """For every linked stop the axis that its links pull it to."""
    sums: dict[Stop, tuple[float, float]] = {}
    outgoing: dict[Stop, int] = {}
    for other, _ in links:
        outgoing[other] = outgoing.get(other, 0) + 1
    for other, stop in links:
        pull = LANE_PULL if other.lane or stop.lane else CHAIN_PULL if outgoing[other] == 1 else 1
        total, weight = sums.get(stop, (0.0, 0.0))
        sums[stop] = (total + pull * fixed[other], weight + pull)
    return {stop: total / weight for stop, (total, weight) in sums.items()}


def _packed(row: Row, size: Mapping[Stop, Extent], preferred: Mapping[Stop, float], between: int) -> dict[Stop, float]:
    """Axes in the row's order, ``between`` px apart, as close as possible (least squares) to the preferred ones."""
    offsets, x = [0], 0
    for a, b in pairwise(row):
        x += size[a].right + between + size[b].left
        offsets.append(x)
    aims = [preferred.get(stop, offset - offsets[-1] / 2) - offset for stop, offset in zip(row, offsets, strict=True)]
    pools: list[tuple[float, int]] = []  # sums and numbers of stops that touch
    for aim in aims:
        pools.append((aim, 1))
        while len(pools) > 1 and pools[-2][0] * pools[-1][1] >= pools[-1][0] * pools[-2][1]:
            total, number = pools.pop()
            pools[-1] = (pools[-1][0] + total, pools[-1][1] + number)
    starts = [total / number for total, number in pools for _ in range(number)]
    return {stop: round(start) + offset for stop, start, offset in zip(row, starts, offsets, strict=True)}
