"""Regularized evolution of trees (Real et al., "Regularized Evolution for Image Classifier Architecture Search",
AAAI 2019): the winner of a small tournament is edited, and the oldest member is removed, not the worst.

A variant with a Gaussian process that chose winners and children (as in NPENAS, Wei et al., 2003.12857) was tried. It
found better cells of NAS-Bench-201 (94.14 instead of 93.94 % after 50), but no better Inception modules in real
trainings (76.2 instead of 76.6 %, 11 and 20 seeds of benchmarks/conditional.py). `predictor` searches with a model.
"""

from __future__ import annotations

import random
from itertools import islice
from typing import Annotated

from pydantic import Field

from inception_search.options import Probability, Whole
from inception_search.strategies.history import History, best_first
from inception_search.strategies.protocol import Observation, Problem, Proposal
from inception_search.strategies.unseen_point import fresh_point
from inception_search.strategies.variation import Variation, mutant


class PopulationOptions(Variation):
    """The options of strategies that breed."""

    population: Annotated[int, Field(strict=True, ge=2, le=10**6)] | None = None
    """Number of trials in the population (default: in a study of n trials, n/4 but at least 10 if n is at most 120; 30
    if n is at most 300; else n/10 but at most 50)."""
    retries: Whole = 30
    """Number of children in a row that are rejected (already tried or outside the limits) before a random point is
    proposed."""


class EvolutionOptions(PopulationOptions):
    """The options of ``evolution``."""

    tournament: Whole | None = None
    """Tournament size: the parent is the best of this many random members of the population (default: a third of the
    population, at least 3)."""
    # With a larger fraction, the canonical modules win all tournaments.
    seeds: Probability = 0.25
    """Maximum fraction of the population that comes from baselines, warm starts and other trials that the strategy did
    not propose."""


def population_size(trials: int) -> int:
    """The default population size: a tenth of the trials, 30 to 50; in a short study a quarter, at least 10.

    On the table of NAS-Bench-201 a population of 30 beat 10, 50 and 100 at 50 to 200 trials. On synthetic noisy
    functions over `separable_modules`, 15 beat 30 at 60 trials, because 30 leaves too few trials for children.
    """
    return max(10, min(trials // 4, max(30, trials // 10), 50))


class Evolution:
    """Regularized evolution. The population is the latest trials that ended, computed from the history."""

    settings = EvolutionOptions

    def __init__(self, problem: Problem, options: EvolutionOptions | None = None) -> None:
        self.problem, self.options = problem, options or EvolutionOptions()
        self.size = self.options.population or population_size(problem.trials)
        self.tournament = min(self.size, self.options.tournament or max(3, self.size // 3))
        self.history = History()
        self.others: dict[int, Observation] = {}
        """Trials with losses that this strategy did not propose."""

    def tell(self, observation: Observation) -> None:
        """Store the observation."""
        self.history.tell(observation)
        self.others.pop(observation.number, None)
        if observation.losses is not None and "edit" not in observation.facts:
            self.others[observation.number] = observation

    def ask(self, number: int) -> Proposal | None:
        """An unseen child of a winner; a random point while the population fills, or if all children are known."""
        rng, population = self.problem.rng(number), self.population()
        filled = len(population) + len(self.history.running)
        if filled >= self.size and len(population) >= self.tournament:
            child = self._child(population, rng)
            if child is not None:
                return child
        params = fresh_point(self.problem, rng, fit=True)
        return None if params is None else Proposal(params, {"edit": "drawn"})

    def population(self) -> list[Observation]:
        """The latest trials that ended; of those not proposed by the strategy only the best, up to ``seeds``."""
        most = max(1, int(self.size * self.options.seeds))
        seeds = {observation.number for observation in best_first(self.others.values())[:most]}
        latest = (each for each in reversed(self.history.ended) if "edit" in each.facts or each.number in seeds)
        return list(islice(latest, self.size))[::-1]

    def _child(self, population: list[Observation], rng: random.Random) -> Proposal | None:
        for _ in range(self.options.retries):
            parent = best_first(rng.sample(population, self.tournament))[0]
            child = mutant(self.problem, parent.params, rng, self.options)
            if child is not None and self.problem.screen(child.params).fresh:
                return Proposal(child.params, {"parent": parent.number, "edit": child.edit})
        return None
