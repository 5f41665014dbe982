"""NSGA-II on trees (Deb et al., "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", IEEE TEC 2002).

Steady-state: a child is made for each proposal, and competes as soon as it has ended, so no generation waits
for its slowest trial (Durillo et al., "On the Effect of the Steady-State Selection Scheme in Multi-Objective Genetic
Algorithms", EMO 2009).
"""

from __future__ import annotations

import random

from inception_search.options import Probability
from inception_search.strategies.evolution import PopulationOptions, population_size
from inception_search.strategies.history import History
from inception_search.strategies.protocol import Observation, Problem, Proposal
from inception_search.strategies.unseen_point import fresh_point
from inception_search.strategies.variation import crossed, mutant


class Nsga2Options(PopulationOptions):
    """The options of ``nsga2``."""

    crossover: Probability = 0.9
    """Probability that a child has two parents."""
    # The default is about the probability (1 - 1/e) that a mutation rate of 1/n changes any of n genes.
    mutation: Probability = 0.6
    """Probability that a child of two parents is also mutated; a child of one parent always is."""


class Nsga2:
    """NSGA-II. The population is the best of all trials that ended; binary tournaments choose the parents."""

    settings = Nsga2Options

    def __init__(self, problem: Problem, options: Nsga2Options | None = None) -> None:
        self.problem, self.options = problem, options or Nsga2Options()
        self.size = self.options.population or population_size(problem.trials)
        self.history = History()

    def tell(self, observation: Observation) -> None:
        """Store the observation."""
        self.history.tell(observation)

    def ask(self, number: int) -> Proposal | None:
        """An unseen child of two winners; a random point while the population fills, or if all children are known."""
        rng, ended = self.problem.rng(number), self.history.ended
        if len(ended) >= 2 and len(ended) + len(self.history.running) >= self.size:
            child = self._child(self.history.best_few(self.size), rng)
            if child is not None:
                return child
        params = fresh_point(self.problem, rng, fit=True)
        return None if params is None else Proposal(params, {"edit": "drawn"})

    def _child(self, population: list[Observation], rng: random.Random) -> Proposal | None:
        for _ in range(self.options.retries):
            one = _winner(population, rng)
            other = _winner([each for each in population if each is not one], rng)
            child = self._made(one, other, rng)
            if child is not None and self.problem.screen(child.params).fresh:
                return child
        return None

    def _made(self, one: Observation, other: Observation, rng: random.Random) -> Proposal | None:
        both = crossed(self.problem.space, one, other, rng) if rng.random() < self.options.crossover else None
        if both is not None and rng.random() >= self.options.mutation:
            return Proposal(both, {"parents": [one.number, other.number], "edit": "crossed"})
        child = mutant(self.problem, one.params if both is None else both, rng, self.options)
        if child is None:
            return None
        if both is None:
            return Proposal(child.params, {"parent": one.number, "edit": child.edit})
        return Proposal(child.params, {"parents": [one.number, other.number], "edit": f"crossed; {child.edit}"})


def _winner(population: list[Observation], rng: random.Random) -> Observation:
    """The better of two random members; ``population`` is sorted, best first."""
    return population[min(rng.randrange(len(population)), rng.randrange(len(population)))]
