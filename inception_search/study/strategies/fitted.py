"""Points as wide as a study's limits allow: under a budget it is at equal cost that structures are compared.

A module with a cheaper convolution is no better at its old widths, and is not seen to be good; as wide as the budget
allows it may be. The other way round, most random points of a space are far outside a tight budget.
"""

from __future__ import annotations

from collections.abc import Sequence

from inception_search.measures.points import ladder
from inception_search.space.holes import Choice, Hole, Params, Value
from inception_search.study.strategies.strategy import Problem

FITTED = 0.75  # of the children that strategies make
WIDTHS = ("width", "mid")
FACTORS = tuple(2.0 ** (step / 4) for step in range(-12, 13))  # an eighth to eight times as wide


def fitted(problem: Problem, params: Params) -> Params | None:
    """The point with its widths times the largest factor that keeps it within the limits; None where none does.

    The point itself where the study has no upper limit.
    """
    if problem.excess is None:
        return params
    holes = problem.space.holes
    rungs = {name: ladder(holes[name]) for name in params if holes[name].path.rpartition(".")[2] in WIDTHS}
    low, high = -1, len(FACTORS)  # within at low, outside at high
    best: Params | None = None
    while high - low > 1:
        middle = (low + high) // 2
        scaled = {**params, **{name: _times(params[name], FACTORS[middle], rungs[name], holes[name]) for name in rungs}}
        if problem.excess(scaled) <= 0.0:
            low, best = middle, scaled
        else:
            high = middle
    return best


def _times(value: Value, factor: float, rungs: Sequence[Value], hole: Hole) -> Value:
    """The value of the hole that is nearest to so many times ``value``, by ratio."""
    if value not in rungs:
        return value
    sizes = [_size(rung, hole) for rung in rungs]
    wanted = factor * _size(value, hole)
    return rungs[min(range(len(rungs)), key=lambda at: max(sizes[at], wanted) / min(sizes[at], wanted))]


def _size(value: Value, hole: Hole) -> int:
    return int(hole.options[str(value)]) if isinstance(hole, Choice) else int(value)
