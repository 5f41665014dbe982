"""The layout of a mesh: rows from :mod:`layers`, wires from :mod:`routes`, heights from both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from inception_search.figures.network.layers import ENTRY, Extent, Rows, Stop, arranged
from inception_search.figures.network.routes import PORT, Net, cleared, ports, tracks

TRACK = 10  # px between two tracks


class Reach(Protocol):
    """The size of a part: px to the left and right of its axis, and its height."""

    @property
    def left(self) -> int: ...
    @property
    def right(self) -> int: ...
    @property
    def height(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Distances:
    """The distances in px of a mesh."""

    lane: int
    between: int
    stub: int
    drop: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A mesh that extends ``left`` and ``right`` px from its axis and is ``height`` px high.

    ``routes[i]`` are the routes of part i's inputs, in order: points from below the source part (or from the top for
    ENTRY) to above part i.
    """

    left: int
    right: int
    height: int
    axes: tuple[int, ...]
    tops: tuple[int, ...]
    routes: tuple[tuple[tuple[tuple[int, int], ...], ...], ...]


def planned(parts: Sequence[Reach], reads: Sequence[Sequence[int]], px: Distances) -> Plan:
    """The plan of parts that read each other; the last one is the output."""
    lane = Extent(px.lane, px.lane)
    rows = arranged(reads, [Extent(part.left, part.right) for part in parts], lane, px.between)
    return _Planner(parts, reads, px, rows).plan()


class _Planner:
    def __init__(self, parts: Sequence[Reach], reads: Sequence[Sequence[int]], px: Distances, rows: Rows) -> None:
        self.parts, self.reads, self.px, self.rows = parts, reads, px, rows
        self.level = {stop.source: level for level, row in enumerate(rows.rows) for stop in row if not stop.lane}
        self.ports = [self._ports(part) for part in range(len(parts))]

    def _axis(self, level: int, source: int) -> int:
        return self.rows.axes[level, Stop(source, level > self.level[source])]

    def _ports(self, part: int) -> list[int]:
        """Where each input of ``part`` enters it."""
        level, reach = self.level[part], self.parts[part]
        axis = self.rows.axes[level, Stop(part, False)]
        starts = [self._axis(level - 1, source) for source in self.reads[part]]
        found = ports(axis, reach.left, reach.right, starts)
        if len(found) == 1:
            return found
        above = [(s.source, self.rows.axes[level - 1, s]) for s in self.rows.rows[level - 1]]
        low, high = axis - reach.left + PORT // 2, axis + reach.right - PORT // 2
        for index, source in enumerate(self.reads[part]):
            others = [x for other, x in above if other != source] + found[:index]
            found[index] = cleared(found[index], others, low, high)
        return found

    def _nets(self, level: int) -> dict[int, Net]:
        """The wires between two rows by the value they carry."""
        ends: dict[int, list[int]] = {}
        for start, end in self.rows.links[level]:
            if end.lane:
                ends.setdefault(start.source, []).append(self.rows.axes[level + 1, end])
        for part, sources in enumerate(self.reads):
            if self.level[part] == level + 1:
                for source, port in zip(sources, self.ports[part], strict=True):
                    ends.setdefault(source, []).append(port)
        return {source: Net(self._axis(level, source), tuple(found)) for source, found in sorted(ends.items())}

    def plan(self) -> Plan:
        px, heights = self.px, self._heights()
        y, floors, bends = 0, [], []
        for level, height in enumerate(heights):
            floors.append(y + height)
            y += height
            if level < len(heights) - 1:
                track = tracks(self._nets(level))
                bends.append({source: y + px.stub + TRACK * at for source, at in track.items()})
                y += px.stub + TRACK * max(0, len(track) - 1) + px.drop
        origin = self.rows.axes[0, Stop(ENTRY, False)]
        places = [self.rows.axes[self.level[part], Stop(part, False)] - origin for part in range(len(self.parts))]
        tops = [floors[self.level[part]] - reach.height for part, reach in enumerate(self.parts)]
        lanes = [x - origin for (_, stop), x in self.rows.axes.items() if stop.lane]
        spans = [(x - px.lane, x + px.lane) for x in (*lanes, 0)]
        spans += [(x - reach.left, x + reach.right) for x, reach in zip(places, self.parts, strict=True)]
        left, right = -min(low for low, _ in spans), max(high for _, high in spans)
        return Plan(left, right, y, tuple(places), tuple(tops), self._routes(bends, origin))

    def _heights(self) -> list[int]:
        found = [0] * len(self.rows.rows)
        for part, reach in enumerate(self.parts):
            found[self.level[part]] = max(found[self.level[part]], reach.height)
        return found

    def _routes(
        self, bends: Sequence[dict[int, int]], origin: int
    ) -> tuple[tuple[tuple[tuple[int, int], ...], ...], ...]:
        routes = []
        for part, sources in enumerate(self.reads):
            ways = []
            for source, port in zip(sources, self.ports[part], strict=True):
                x, way = self._axis(self.level[source], source), []
                for level in range(self.level[source], self.level[part]):
                    last = level + 1 == self.level[part]
                    there = port if last else self._axis(level + 1, source)
                    if there != x:
                        y = bends[level][source]
                        way += [(x - origin, y), (there - origin, y)]
                    x = there
                ways.append(tuple(way))
            routes.append(tuple(ways))
        return tuple(routes)
