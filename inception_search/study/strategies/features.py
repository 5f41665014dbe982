"""Points of any space as numbers: their decisions, what they are made of, what they cost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inception_search.space.holes import Choice, Float, Hole, Integer, Many, Params, Value, items
from inception_search.space.space import Space

Array = NDArray[np.float64]
HALF = 0.5  # of an indicator, so that two labels, or a decision and none, are 1 apart by the sum of differences


class Encoder:
    """Rows of numbers for points of one space; a decision that a point does not have is a value of its own."""

    def __init__(self, space: Space) -> None:
        self.holes = space.holes
        self.columns: dict[tuple[str, Value | None], int] = {}
        self.groups: dict[str, int] = {}
        self.counted: dict[tuple[int, Value | None], int] = {}
        domains: dict[Any, int] = {}
        for name, hole in space.holes.items():
            labels: tuple[Value | None, ...] = hole.domain if isinstance(hole, Choice) else (None,)
            for label in labels:
                self.columns[name, label] = len(self.columns)
            if isinstance(hole, Choice):
                self.columns[name, None] = len(self.columns)  # that it is there at all
            group = self.groups[name] = domains.setdefault(_domain(hole), len(domains))
            for label in labels:
                self.counted.setdefault((group, label), len(self.counted))
        self.numeric = {name for name, hole in space.holes.items() if not isinstance(hole, Choice)}

    def decisions(self, points: Sequence[Params]) -> Array:
        """(points, columns): sums of differences are how many decisions differ, numbers by how much."""
        rows = np.zeros((len(points), len(self.columns)))
        for name in self.numeric:
            rows[:, self.columns[name, None]] = -HALF  # neither a low value nor a high one
        for row, point in zip(rows, points, strict=True):
            for name, value in point.items():
                if name in self.numeric:
                    row[self.columns[name, None]] = _place(self.holes[name], value)
                else:
                    row[self.columns[name, value]] = row[self.columns[name, None]] = HALF
        return rows

    def counts(self, points: Sequence[Params]) -> Array:
        """(points, columns): how often each label was chosen in holes of one domain, and the sums of numbers."""
        rows = np.zeros((len(points), len(self.counted)))
        for row, point in zip(rows, points, strict=True):
            for name, value in point.items():
                numeric = name in self.numeric
                label = None if numeric else value
                row[self.counted[self.groups[name], label]] += _place(self.holes[name], value) if numeric else 1.0
        return rows


def cost_row(cost: Mapping[str, float], names: Sequence[str]) -> list[float]:
    """The costs ``names``: those that are never negative by their logarithm, scores of proxies as they are."""
    return [_scaled(cost.get(name, 0.0)) for name in names]


def leaves(space: Space) -> frozenset[str]:
    """The holes whose value decides about no other hole: they can be changed without asking the space."""
    return frozenset(
        name
        for name, hole in space.holes.items()
        if not isinstance(hole, Many) and all(below.name == name for below in _holes_below(hole))
    )


def _holes_below(node: Any) -> Iterator[Hole]:
    """The holes in the options of a choice, however deep."""
    for part in node.options.values() if isinstance(node, Choice) else items(node):
        if isinstance(part, Choice | Integer | Float):
            yield part
        yield from _holes_below(part)


def _domain(hole: Hole) -> Any:
    return hole.domain if isinstance(hole, Choice) else (hole.low, hole.high, hole.log)


def _place(hole: Hole, value: Value) -> float:
    """Where a number lies in its range, 0..1."""
    low, high, at = float(getattr(hole, "low", 0)), float(getattr(hole, "high", 1)), float(value)
    if high <= low:
        return 0.0
    if getattr(hole, "log", False):
        low, high, at = math.log(low), math.log(high), math.log(at)
    return (at - low) / (high - low)


def _scaled(value: float) -> float:
    return math.log1p(value) if value > 0 else value
