"""Scaling of a network into a budget by the least change of widths, then of repeats.

The candidates are the points of a space that differ from one point only in widths and repeats.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from inception_search.errors import CompileError, ConfigError, LimitError, ShapeError, SpecError
from inception_search.measures.budget import Budget, Limit
from inception_search.measures.measure import Number
from inception_search.measures.measured_network import MeasuredNetwork
from inception_search.space.holes import Choice, Hole, Integer, Many, Params, Value
from inception_search.space.space import Space
from inception_search.spec.network import Network

WIDTHS = ("width", "mid")  # the last part of a hole's path if the hole is the width of an op
NO_NETWORK = (SpecError, ShapeError, LimitError, CompileError)  # errors of a point that is not a valid network


class Points:
    """The points of a space that differ from one point only in widths and repeats; none are made once ``late()``."""

    def __init__(
        self, space: Space, params: Params, measured: Callable[[Network], MeasuredNetwork], late: Callable[[], bool]
    ) -> None:
        self.space, self.params, self.measured, self.late = space, params, measured, late
        self.made: dict[tuple[Value, ...], tuple[Params, MeasuredNetwork] | None] = {}

    def scaled(self, width: float, depth: float) -> MeasuredNetwork | None:
        """The network with widths and repeats moved by these fractions of the way to the bounds of their holes."""
        moves = {name: self._moved(name, value, width, depth) for name, value in self.params.items()}
        key = tuple(moves.values())
        if key not in self.made:
            if self.late():
                return None
            self.made[key] = self._make(moves)
        made = self.made[key]
        return None if made is None else made[1]

    def networks(self) -> list[MeasuredNetwork]:
        """The networks built so far."""
        return [made[1] for made in self.made.values() if made is not None]

    def params_of(self, measured: MeasuredNetwork) -> Params:
        """The point of one of these networks."""
        return next(made[0] for made in self.made.values() if made is not None and made[1] is measured)

    def _make(self, moves: Params) -> tuple[Params, MeasuredNetwork] | None:
        many = (name for name in moves if isinstance(self.space.holes[name], Many))
        try:
            if any(moves[name] != self.params[name] for name in many):  # added repeats have holes of their own
                moves = self.space.changed(self.params, moves)
            return moves, self.measured(self.space.decode(moves))
        except NO_NETWORK:
            return None

    def _moved(self, name: str, value: Value, width: float, depth: float) -> Value:
        hole = self.space.holes[name]
        part = "times" if isinstance(hole, Many) else hole.path.rpartition(".")[2]
        amount = width if part in WIDTHS else depth if part == "times" else 0.0
        rungs = ladder(hole)
        if amount == 0.0 or value not in rungs:
            return value
        at = rungs.index(value)
        end = 0 if amount < 0.0 else len(rungs) - 1
        return rungs[math.floor(at + (end - at) * abs(amount) + 0.5)]


def ladder(hole: Hole) -> tuple[Value, ...]:
    """The values of an integer hole in increasing order; empty for other holes."""
    if isinstance(hole, Integer):
        return tuple(hole.domain)
    if not isinstance(hole, Choice) or any(type(value) is not int for value in hole.options.values()):
        return ()
    return tuple(sorted(hole.options, key=lambda label: int(hole.options[label])))


BISECTIONS = 14  # a resolution of 1/16,000, enough for every value of a hole with that many values

Scaled: TypeAlias = Callable[[float, float], MeasuredNetwork | None]
"""From fractions (widths, repeats) to a network: 0 unchanged, -1 the smallest, 1 the largest; None: not valid."""


def fit(scaled: Scaled, budget: Budget) -> MeasuredNetwork | None:
    """The network nearest to ``scaled(0, 0)`` that is within ``budget``; None if scaling finds none.

    Limits on depth and receptive field are met by repeats, all others by widths. If the narrowest (or widest) network
    is still outside, repeats are changed as well.
    """
    shape, size = budget.only(by_width=False), budget.only(by_width=True)
    end, share = _change(shape, lambda amount: scaled(0.0, amount))
    if share is None:
        return None
    depth = end * share
    end, share = _change(size, lambda amount: scaled(amount, depth))
    width = end if share is None else end * share
    if share is None:
        missed, start = size.only(is_max=end < 0.0), depth
        share = _least(lambda part: _inside(missed, scaled(width, start + (end - start) * part)))
        if share is None:
            return None
        depth += (end - start) * share
    found = scaled(width, depth)
    return found if _inside(budget, found) else None


def not_within(what: str, tried: list[MeasuredNetwork], budget: Budget, more: str) -> ConfigError:
    """The error that no network ``what`` is within ``budget``, with the nearest tried network and a hint.

    Networks without a measured latency are ignored if the latency would be needed.
    """
    missed = [outside for measured in tried if (outside := _known(budget, measured)) is not None]
    limit, value = min(missed, key=lambda outside: outside[0].excess(outside[1]))
    change = f"{'raise' if limit.is_max else 'lower'} {limit.name}"
    return ConfigError(f"{what} is within the budget; the nearest: {limit.words(value)}", hint=f"{change}, {more}")


def _known(budget: Budget, measured: MeasuredNetwork) -> tuple[Limit, Number] | None:
    """The worst violated limit of ``measured`` and its value, as far as known without work on the device."""
    timed = budget.max_latency_ms is None or budget.target in measured.latencies
    return (budget if timed else budget.untimed).worst(measured)


def _change(budget: Budget, scaled: Callable[[float], MeasuredNetwork | None]) -> tuple[float, float | None]:
    """The direction, and the least fraction of the way to its bound, that correct the violation of ``scaled(0)``."""
    for end, part in ((-1.0, budget.only(is_max=True)), (1.0, budget.only(is_max=False))):
        if not _inside(part, scaled(0.0)):
            return end, _least(lambda share, end=end, part=part: _inside(part, scaled(end * share)))  # type: ignore[misc]
    return 0.0, 0.0


def _least(fits: Callable[[float], bool]) -> float | None:
    """The least fraction, 0 to 1, that fits, by bisection; an upper bound without valid network is reduced."""
    outside, inside = 0.0, next((share for share in (1.0, 0.5, 0.25) if fits(share)), None)
    if inside is None:
        return None
    for _ in range(BISECTIONS):
        middle = (outside + inside) / 2
        outside, inside = (outside, middle) if fits(middle) else (middle, inside)
    return inside


def _inside(budget: Budget, measured: MeasuredNetwork | None) -> bool:
    try:
        return measured is not None and budget.worst(measured) is None
    except CompileError:  # its latency cannot be measured
        return False
