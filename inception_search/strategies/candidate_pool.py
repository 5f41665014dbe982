"""The candidates that a model scores before their networks are built: mutants of good trials, and random points."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from inception_search.errors import NotInSpaceError
from inception_search.options import Options, Probability, Whole
from inception_search.space.holes import Params
from inception_search.space.neighbours import moves
from inception_search.space.sampling import draw
from inception_search.strategies.conditionality import why_not_flat
from inception_search.strategies.features import Array, Decisions
from inception_search.strategies.protocol import Observation, Problem
from inception_search.strategies.scale_to_budget import FITTED, drawn, fitted
from inception_search.strategies.variation import STEPS

MANY_HOLES = 60  # with more holes, scaling a point to the limits is slow, so fewer points are scaled
# For spaces in which drawing a point is fast. On the table of NAS-Bench-201, with 12-epoch accuracy, a fifth of the
# searches that drew 40 points per 10 proposals never left a local optimum. With more points the model finds a way out.
FEW, PERIOD = 40, 10
MANY, BRIEF = 1000, 3


class PoolOptions(Options):
    """Which points, and how many, the model scores."""

    mutants: Whole = 12
    """Number of mutants of each parent that the model scores."""
    random: Whole | None = None
    """Number of random points that the model scores (default: 40; 1,000 in a flat space without limits)."""
    # In a large space drawing them costs more than anything else.
    period: Whole | None = None
    """Number of trials after which new mutants and random points are drawn (default: 10; 3 in a flat space without
    limits)."""
    twice: Probability = 0.3
    """Probability that a mutant is mutated a second time."""
    fitted: Probability = FITTED
    """Probability that a mutant is scaled to be as wide as the study's upper limits allow."""


class Prospect(NamedTuple):
    """A point, its decisions as numbers, and the trial that it was mutated from (None: a random point)."""

    params: Params
    row: Array
    parent: int | None


class CandidatePool:
    """A pool of candidates, which depends only on the problem's seed, the parents and the period, and is cached."""

    def __init__(self, problem: Problem, decisions: Decisions, options: PoolOptions | None = None) -> None:
        self.problem, self.decisions, self.options = problem, decisions, options or PoolOptions()
        # In a flat space a neighbour changes one value; in other spaces only the space can make neighbours.
        self.flat = why_not_flat(problem.space) is None
        self.free = self.flat and problem.excess is None
        self.lasts = self.options.period or (BRIEF if self.free else PERIOD)
        self.random = self.options.random or (MANY if self.free else FEW)
        self.affordable = min(1.0, MANY_HOLES / max(1, len(problem.space.holes)))
        self.period = -1
        self.drawn: dict[int | None, list[Prospect]] = {}

    def of(self, parents: Sequence[Observation], number: int) -> list[Prospect]:
        """The candidates for trial ``number``: mutants of ``parents`` and random points."""
        if number // self.lasts != self.period:
            self.period, self.drawn = number // self.lasts, {}
        if None not in self.drawn:
            rng = self._rng(None)
            self.drawn[None] = self._prospects(self._random(rng), None)
        for parent in parents:
            if parent.number not in self.drawn:
                mutants = self._mutants(parent.params, self._rng(parent.number))
                self.drawn[parent.number] = self._prospects(mutants, parent.number)
        return [each for origin in (*(parent.number for parent in parents), None) for each in self.drawn[origin]]

    def _rng(self, origin: int | None) -> random.Random:
        return random.Random(f"{self.problem.seed}:prospects:{self.period}:{origin}")

    def _random(self, rng: random.Random) -> Iterator[Params]:
        space = self.problem.space
        if self.free:
            for _ in range(self.random):
                yield {name: draw(hole, rng) for name, hole in space.holes.items()}
        else:
            for _ in range(self.random):
                # Its time is quadratic in the holes: they set both the number of moves and the time of each.
                within = drawn(self.problem, rng) if rng.random() < self.affordable**2 else None
                yield within or space.sample(rng)

    def _prospects(self, points: Iterable[Params], parent: int | None) -> list[Prospect]:
        return [Prospect(params, self.decisions.row(params), parent) for params in points]

    def _mutants(self, params: Params, rng: random.Random) -> list[Params]:
        mutants: dict[frozenset[tuple[str, object]], Params] = {}
        try:
            for _ in range(self.options.mutants):
                mutant = self._moved(params, rng)
                mutant = self._moved(mutant, rng) if rng.random() < self.options.twice else mutant
                mutant = self._fit(mutant, rng)
                mutants.setdefault(frozenset(mutant.items()), mutant)
        except NotInSpaceError:  # a point without neighbours
            pass
        return list(mutants.values())

    def _fit(self, params: Params, rng: random.Random) -> Params:
        """The point, usually scaled to be as wide as the study's limits allow."""
        if self.problem.excess is None or rng.random() >= self.options.fitted * self.affordable:
            return params
        return fitted(self.problem, params) or params

    def _moved(self, params: Params, rng: random.Random) -> Params:
        if not self.flat:
            return self.problem.space.neighbour(params, rng, STEPS)
        move = next(moves(self.problem.space.holes, params, rng, STEPS), None)
        if move is None:
            raise NotInSpaceError("the point has no neighbour")
        return {**params, move[0]: move[1]}
