"""Points as wide as a study's limits allow: under a budget it is at equal cost that structures are compared.

A module with a cheaper convolution is no better at its old widths, and is not seen to be good; as wide as the budget
allows it may be. The other way round, most random points of a space are far outside a tight budget; made narrow, all
of them are many thin layers. They are made simpler first, and then as wide as that leaves room for.
"""

from __future__ import annotations

import math
import random

from inception_search.errors import NotInSpaceError
from inception_search.measures.width_scaling import WIDTHS, ladder
from inception_search.space.holes import Choice, Hole, Integer, Params, Value
from inception_search.strategies.protocol import Problem

FITTED = 0.75  # of the points that strategies make are fitted, the others left as they are
MOVES = 120  # decisions tried on the way into the limits
FACTORS = tuple(2.0 ** (step / 8) for step in range(-24, 25))  # an eighth to eight times as wide
POWER = 1.4  # costs grow with widths (one neighbour fixed) or with their squares (both grow)
GUESSES = 4  # before the range is halved: where all widths are at their ends already, guesses creep


def fitted(problem: Problem, params: Params) -> Params | None:
    """The point with its widths times the largest factor that keeps it within the limits; None where none does.

    The point itself where the study has no upper limit.
    """
    if problem.excess is None:
        return params
    holes = problem.space.holes
    widths = [name for name in params if holes[name].path.rpartition(".")[2] in WIDTHS]
    low, high = -1, len(FACTORS)  # within at low, outside at high
    at, guesses = len(FACTORS) // 2, 0
    best: Params | None = None
    while high - low > 1:
        scaled = {**params, **{name: _times(params[name], FACTORS[at], holes[name]) for name in widths}}
        excess = problem.excess(scaled)
        if excess <= 0.0:
            low, best = at, scaled
        else:
            high = at
        guesses += 1
        at = min(max(at + _steps(excess), low + 1), high - 1) if guesses < GUESSES else (low + high) // 2
    return best


def drawn(problem: Problem, rng: random.Random) -> Params | None:
    """A random point of the space, made simpler until it is within the limits, then as wide as they allow.

    None where that fails.
    """
    return fitted(problem, _simpler(problem, problem.space.sample(rng), rng))


def _simpler(problem: Problem, params: Params, rng: random.Random) -> Params:
    """Where a walk leads that gets never further outside and ends within, or after :data:`MOVES` moves."""
    if problem.excess is None:
        return params
    excess = problem.excess(params)
    for _ in range(MOVES):
        if excess <= 0.0:
            break
        try:
            moved = problem.space.neighbour(params, rng)
        except NotInSpaceError:
            break
        outside = problem.excess(moved)
        if outside <= excess:
            params, excess = moved, outside
    return params


def _steps(excess: float) -> int:
    """Number of factors to the limit, from how costs grow with widths; at least one."""
    steps = round(-8.0 * math.log2(max(1.0 + excess, 0.01)) / POWER)
    return max(1, steps) if excess <= 0.0 else min(-1, steps)


def _times(value: Value, factor: float, hole: Hole) -> Value:
    """The value of the hole that is nearest to ``factor`` times ``value``."""
    if isinstance(hole, Integer):
        at = round((factor * int(value) - hole.low) / hole.step)
        return hole.domain[min(max(at, 0), len(hole.domain) - 1)]
    sizes = {label: int(hole.options[str(label)]) for label in ladder(hole)} if isinstance(hole, Choice) else {}
    if value not in sizes:
        return value
    wanted = factor * sizes[value]
    return min(sizes, key=lambda label: abs(sizes[label] - wanted))
