"""A random point that can be trained and has not been, also where hardly any are left or within the limits."""

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
FITS = 10  # of them are brought within the limits, which takes its time
STEPS = 240  # neighbours looked at on the way from the best draw into the limits
WALKED = 20_000  # points of a space that is small enough to be gone through when drawing finds nothing


def fresh_point(problem: Problem, rng: random.Random, *, fit: bool = False) -> Params | None:
    """A fresh point: drawn as the space samples; else reached from the draw that was least outside.

    ``fit``: draws are brought within the study's limits. None when there is none (a small space has then been
    gone through) or none was found.
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
    """A fresh point met on a walk that gets never further outside; among known points it goes anywhere."""
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
    """One of the fresh points of a small space."""
    if problem.space.size > WALKED:
        return None
    points = list(_points(problem.space))
    rng.shuffle(points)
    return next((params for params in points if problem.screen(params).fresh), None)


@lru_cache(maxsize=1)
def _points(space: Space) -> tuple[Params, ...]:
    return tuple(walk(space))
