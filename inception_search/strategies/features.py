"""Points as feature vectors: their decisions per hole, the counts of decisions, and the measures of their networks.

A point of a conditional space lacks some holes. Every hole of the space still has its columns, and one that marks it as
absent. The squared distance between two rows of decisions is the number of decisions that differ; a numeric decision
contributes the difference as a fraction of its range.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from inception_search.space.holes import Choice, Float, Hole, Integer, Params, Value
from inception_search.space.space import Space

Array: TypeAlias = npt.NDArray[np.float64]

_DIGITS = re.compile(r"[0-9]+")
_ABSENT = object()
HALF = math.sqrt(0.5)  # different labels differ in two columns by this value: a squared distance of 1


class Decisions:
    """Conversion of points to rows of decisions and of counts.

    Counts are sums over holes whose names differ only in numbers (edges of a cell, branches of modules). The number of
    convolutions in a network predicts more than their positions (White et al., "How Powerful are Performance
    Predictors in Neural Architecture Search?", 2104.01177).
    """

    def __init__(self, space: Space) -> None:
        self.columns: dict[str, dict[object, int]] = {}
        """The columns of each hole: one per label, or ``None`` for the position in a numeric range; and its absence."""
        self.holes = space.holes
        groups: dict[tuple[str, object], int] = {}
        group: list[int] = []
        for name, hole in self.holes.items():
            kinds = (*(hole.domain if isinstance(hole, Choice) else (None,)), _ABSENT)
            self.columns[name] = {kind: len(group) + at for at, kind in enumerate(kinds)}
            pattern = _DIGITS.sub("#", name)
            group += [groups.setdefault((pattern, kind), len(groups)) for kind in kinds]
        self.width = len(group)
        self._order = np.argsort(group, kind="stable")
        self._starts = np.searchsorted(np.array(group)[self._order], np.arange(len(groups)))

    def row(self, params: Params) -> Array:
        """The decisions of a point; a hole or a label of another space counts as absent."""
        row = np.zeros(self.width)
        for name, columns in self.columns.items():
            value = params.get(name)
            if value is None or (None not in columns and value not in columns):
                row[columns[_ABSENT]] = HALF
            elif value in columns:
                row[columns[value]] = HALF
            else:
                row[columns[None]] = _place(self.holes[name], value)
        return row

    def counts(self, rows: Array) -> Array:
        """The number of times that each decision occurs in each row."""
        if not self.width:
            return rows
        counts: Array = np.add.reduceat(rows[:, self._order], self._starts, axis=1)
        return counts


def costs(known: Sequence[Mapping[str, float]]) -> Array:
    """The standardised measures of the networks, one column per measure; sizes as logarithms."""
    names = sorted(set.intersection(*(set(_finite(each)) for each in known))) if known else []
    table = np.array([[_size(each[name]) for name in names] for each in known]).reshape(len(known), len(names))
    spread = table.std(axis=0) if len(known) else np.ones(len(names))
    varies = spread > 1e-9 * (1.0 + np.abs(table).max(axis=0, initial=0.0))
    standard: Array = (table[:, varies] - table[:, varies].mean(axis=0)) / spread[varies]
    return standard


def _finite(cost: Mapping[str, float]) -> Iterable[str]:
    return (name for name, value in cost.items() if isinstance(value, int | float) and math.isfinite(value))


def _size(value: float) -> float:
    """The logarithm of a size, so that equal ratios give equal distances."""
    return math.copysign(math.log1p(abs(value)), value)


def _place(hole: Hole, value: Value) -> float:
    """The position of a number in its range, from 0 to 1."""
    assert isinstance(hole, Integer | Float)
    at, low, high = (math.log(x) if hole.log else float(x) for x in (float(value), hole.low, hole.high))
    return min(1.0, max(0.0, (at - low) / (high - low))) if high > low else 0.0
