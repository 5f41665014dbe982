"""Random feasible points that have not been tried, also if few are left or few are within the limits."""

from __future__ import annotations

import random
from functools import lru_cache

from inception_search.errors import NotInSpaceError
from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.strategies.enumerate_points import walk
from inception_search.strategies.protocol import Candidate, Problem
from inception_search.strategies.scale_to_budget import drawn

DRAWS = 60
FITS = 10  # draws that are scaled to the limits, which is slow
STEPS = 240  # neighbours examined on the walk from the best draw into the limits
WALKED = 20_000  # largest size of a space that is enumerated if drawing finds nothing


def fresh_point(problem: Problem, rng: random.Random, *, fit: bool = False) -> Params | None:
    """An unseen point: a random sample of the space, else a point near the sample with the least excess.

    ``fit``: samples are scaled to the study's limits. Returns None if no unseen point was found; a small space has
    then been enumerated completely.
    """
    nearest: Candidate | None = None
    for number in range(DRAWS):
        within = drawn(problem, rng) if fit and number < FITS else None
        screened = problem.screen(within or problem.space.sample(rng))
        if screened.fresh:
            return screened.params
        if nearest is None or screened.violation < nearest.violation:
            nearest = screened
    found = fresh_near(problem, nearest, rng) if nearest is not None else None
    return found or _left(problem, rng)


def fresh_near(problem: Problem, here: Candidate, rng: random.Random) -> Params | None:
    """An unseen point on a random walk from ``here`` that never increases the excess over the limits."""
    for _ in range(STEPS):
        try:
            screened = problem.screen(problem.space.neighbour(here.params, rng))
        except NotInSpaceError:
            return None
        if screened.fresh:
            return screened.params
        if screened.violation <= here.violation:
            here = screened
    return None


def _left(problem: Problem, rng: random.Random) -> Params | None:
    """A random unseen point of a small space, found by enumeration."""
    if problem.space.size > WALKED:
        return None
    points = list(_points(problem.space))
    rng.shuffle(points)
    return next((params for params in points if problem.screen(params).fresh), None)


@lru_cache(maxsize=1)
def _points(space: Space) -> tuple[Params, ...]:
    return tuple(walk(space))
