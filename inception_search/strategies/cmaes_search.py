"""CMA-ES with margin for spaces of numbers (Hansen, 1604.00772; Hamano et al., 2205.13482, for whole numbers).

It restarts with twice the population (Auger and Hansen, CEC 2005) when it proposes only points already tried. Each
proposal rebuilds the optimiser from the trials of its generations, so that an interrupted search continues identically.
"""

from __future__ import annotations

import math
import random
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from inception_search.errors import ConfigError, MissingRequirementError
from inception_search.extras import install
from inception_search.options import Options, Positive, Whole
from inception_search.space.holes import Choice, Float, Hole, Integer, Params, Value
from inception_search.space.space import Space
from inception_search.strategies.conditionality import check_flat
from inception_search.strategies.history import History, best_first
from inception_search.strategies.protocol import Observation, Problem, Proposal
from inception_search.strategies.unseen_point import fresh_point

if TYPE_CHECKING:
    from cmaes import CMAwM

DIGITS = 6  # of the coordinates that are recorded with a trial


class CmaEsOptions(Options):
    """The options of ``cmaes``."""

    population: Annotated[int, Field(strict=True, ge=2, le=10**6)] | None = None
    """Number of trials in a generation (default: 4 + 3 ln n for n holes). Each restart doubles it, up to 16 times the
    first."""
    sigma: Positive = 0.25
    """The initial step size, as a fraction of the range of a hole."""
    tries: Whole = 60
    """Number of points in a row that are rejected (already tried or outside the limits) before the search restarts."""


class CmaEs:
    """CMA-ES. The facts of each trial contain its restart, its generation and its coordinates in the unit cube."""

    settings = CmaEsOptions

    def __init__(self, problem: Problem, options: CmaEsOptions | None = None) -> None:
        self.problem, self.options = problem, options or CmaEsOptions()
        self.history = History()
        self.holes = [hole for hole in problem.space.holes.values() if hole.domain is None or len(hole.domain) > 1]

    @staticmethod
    def suits(space: Space, objectives: int) -> None:
        """Raise for several objectives, choices or conditional holes, and if cmaes is not installed."""
        if objectives > 1:
            raise ConfigError("cmaes takes one objective", path="strategy", hint="use nsga2, tpe or gp")
        choice = next((h for h in space.holes.values() if isinstance(h, Choice) and len(h.domain) > 1), None)
        if choice is not None:
            rule = f"cmaes cannot search space {space.name!r}: hole {choice.name!r} is a choice, not a number"
            raise ConfigError(rule, path="strategy", hint="use tpe, gp, evolution, nsga2, local or predictor")
        check_flat("cmaes", space)
        if find_spec("cmaes") is None:
            rule = "cmaes needs the package cmaes, which is not installed"
            raise MissingRequirementError(rule, path="strategy", hint=install("cmaes"))

    def tell(self, observation: Observation) -> None:
        """Store the observation."""
        self.history.tell(observation)

    def ask(self, number: int) -> Proposal | None:
        """An unseen point of the current generation or of a new restart; otherwise a random point."""
        rng = self.problem.rng(number)
        own = [each for each in self.history.by_number.values() if "generation" in each.facts]
        restart = max((int(each.facts["restart"]) for each in own), default=0)
        for index in (restart, restart + 1) if self.holes else ():
            proposal = self._proposed(index, rng)
            if proposal is not None:
                return proposal
        params = fresh_point(self.problem, rng)
        return None if params is None else Proposal(params, {"drawn": True})

    def _proposed(self, restart: int, rng: random.Random) -> Proposal | None:
        optimiser = self._optimiser(restart)
        optimiser.reseed_rng(rng.getrandbits(31))
        for _ in range(self.options.tries):
            there, place = optimiser.ask()
            params = self._point(there)
            if self.problem.screen(params).fresh:
                rounded = [round(float(part), DIGITS) for part in place]
                return Proposal(params, {"restart": restart, "generation": optimiser.generation, "place": rounded})
        return None

    def _optimiser(self, restart: int) -> CMAwM:
        """The optimiser after all complete generations of its restart."""
        from cmaes import CMAwM

        steps = np.array([_step(hole) for hole in self.holes])
        first = self.options.population or 4 + math.floor(3 * math.log(len(self.holes)))
        population = first * 2 ** min(restart, 4)
        optimiser = CMAwM(
            mean=self._start(restart),
            sigma=self.options.sigma,
            bounds=np.array([[0.0, 1.0]] * len(self.holes)),
            steps=steps,
            population_size=population,
        )
        ended = [each for each in self.history.ended if each.facts.get("restart") == restart]
        complete = [each for each in ended if each.state == "complete"]
        while True:
            members = [each for each in complete if each.facts["generation"] == optimiser.generation][:population]
            if len(members) < population:
                return optimiser
            optimiser.tell([(np.array(each.facts["place"]), (each.losses or (math.inf,))[0]) for each in members])

    def _start(self, restart: int) -> Any:
        """The initial mean: the best initial trial, else the centre; for later restarts a random point."""
        rng = random.Random(f"{self.problem.seed}:start:{restart}")
        if restart > 0:
            return np.array([rng.random() for _ in self.holes])
        first = min((n for n, each in self.history.by_number.items() if "generation" in each.facts), default=math.inf)
        initial = best_first(each for each in self.history.ended if each.number < first)
        if not initial:
            return np.full(len(self.holes), 0.5)
        return np.array([_place(hole, initial[0].params[hole.name]) for hole in self.holes])

    def _point(self, place: Any) -> Params:
        """The point of the space for coordinates in the unit cube."""
        values = {hole.name: _value(hole, float(part)) for hole, part in zip(self.holes, place, strict=True)}
        return self.problem.space.fill(lambda hole: values[hole.name] if hole.name in values else _only(hole))[1]


def _step(hole: Hole) -> float:
    """The distance between neighbouring values of a hole in the unit cube; 0 if they are dense or not evenly spaced."""
    return 0.0 if hole.domain is None or _is_log(hole) else 1.0 / (len(hole.domain) - 1)


def _value(hole: Hole, place: float) -> Value:
    """The value of a hole for a coordinate between 0 and 1."""
    assert isinstance(hole, Integer | Float)
    place = min(1.0, max(0.0, place))
    if hole.domain is not None and not hole.log:
        return hole.domain[round(place * (len(hole.domain) - 1))]
    low, high = (math.log(hole.low), math.log(hole.high)) if hole.log else (hole.low, hole.high)
    value = low + place * (high - low)
    value = min(float(hole.high), max(float(hole.low), math.exp(value) if hole.log else value))
    return round(value) if isinstance(hole, Integer) else value


def _place(hole: Hole, value: Value) -> float:
    """The coordinate of a value, between 0 and 1."""
    assert isinstance(hole, Integer | Float)
    at, low, high = (math.log(x) if hole.log else float(x) for x in (float(value), hole.low, hole.high))
    return (at - low) / (high - low)


def _is_log(hole: Hole) -> bool:
    return not isinstance(hole, Choice) and hole.log


def _only(hole: Hole) -> Value:
    """The value of a hole that has only one value."""
    assert hole.domain is not None
    return hole.domain[0]
