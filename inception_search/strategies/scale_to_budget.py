"""Scaling of points to the study's limits, so that structures are compared at equal cost.

A module with a cheaper convolution is not better at its old widths, but may be when widened to the full budget. In
contrast, most random points of a space are far over a tight budget. Narrowing alone would turn them all into many thin
layers, so they are simplified first, and then widened as far as the budget allows.
"""

from __future__ import annotations

import math
import random

from inception_search.errors import NotInSpaceError
from inception_search.measures.width_scaling import WIDTHS, ladder
from inception_search.space.holes import Choice, Hole, Integer, Params, Value
from inception_search.strategies.protocol import Problem

FITTED = 0.75  # the share of a strategy's points that are scaled; the others stay unchanged
MOVES = 120  # decisions tried while a point is simplified
FACTORS = tuple(2.0 ** (step / 8) for step in range(-24, 25))  # an eighth to eight times as wide
POWER = 1.4  # costs grow with widths (one neighbour fixed) or with their squares (both grow)
GUESSES = 4  # before bisection: if all widths are at their bounds, the guesses converge slowly


def fitted(problem: Problem, params: Params) -> Params | None:
    """The point with its widths times the largest factor within the limits; None if no factor is.

    Without upper limits the point is returned unchanged.
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
    """A random point of the space, simplified until it is within the limits, then widened as far as they allow.

    Returns None if that fails.
    """
    return fitted(problem, _simpler(problem, problem.space.sample(rng), rng))


def _simpler(problem: Problem, params: Params, rng: random.Random) -> Params:
    """The end of a random walk that never increases the excess, and stops within the limits or after MOVES moves."""
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
    """The estimated number of factors to the limit, from the growth of costs with widths; at least one."""
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
    goal = factor * sizes[value]
    return min(sizes, key=lambda label: abs(sizes[label] - goal))
