"""Regularized evolution of trees (Real et al., "Regularized Evolution for Image Classifier Architecture Search",
AAAI 2019): the winner of a small tournament is edited, and the oldest dies, not the worst.

One training says little: of sixty proxies the best is also the luckiest. So tournaments go by what a Gaussian process
makes of all that was told, not by what was told of one trial, and of a few children the most promising is trained
(Wei et al., "NPENAS: Neural Predictor Guided Evolution for Neural Architecture Search", 2003.12857).
"""

from __future__ import annotations

import random

import numpy as np

from inception_search.study.strategies.children import Child, mutant
from inception_search.study.strategies.fresh import fresh_point
from inception_search.study.strategies.guide import Guide, drawn_merits, fitted_model
from inception_search.study.strategies.history import History
from inception_search.study.strategies.standing import best_first
from inception_search.study.strategies.strategy import Observation, Problem, Proposal

RETRIES = 30
CHILDREN = 4  # are looked at for one that is trained; each takes some milliseconds to make
BOLD = 1.0  # deviations that a draw of a child's merit takes
SEEDS = 4  # a quarter of the population at most is given: more, and the tournament collapses on them


def population_size(trials: int) -> int:
    """A tenth of the trials, 30 to 50; in a short study a quarter of them, 10 at least.

    On the table of NAS-Bench-201 a population of 30 beat 10, 50 and 100 at 50 to 200 trials; on made-up noisy functions
    over `separable_modules` one of 15 beat 30 at 60 trials, where 30 are drawn before any child is made.
    """
    return max(10, min(trials // 4, max(30, trials // 10), 50))


class Evolution:
    """The population is the latest trials that ended; it is read from what was told, never kept."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.size = population_size(problem.trials)
        self.tournament = max(3, self.size // 3)
        self.history = History()
        self.guide = Guide(problem.space)

    def tell(self, observation: Observation) -> None:
        """Keep it."""
        self.history.tell(observation)
        self.guide.tell(observation)

    def ask(self, number: int) -> Proposal | None:
        """A fresh child of a winner; a random point while the population fills, or where no child is fresh."""
        rng, population = self.problem.rng(number), self.population()
        filled = len(population) + len(self.history.running)
        if filled >= self.size and len(population) >= self.tournament:
            child = self._child(population, rng)
            if child is not None:
                return child
        params = fresh_point(self.problem, rng, fit=True)
        return None if params is None else Proposal(params, {"edit": "drawn"})

    def population(self) -> list[Observation]:
        """The latest to end; of those nobody drew or edited (the best first) so many as may seed it."""
        ended = self.history.ended
        given = [observation for observation in ended if "edit" not in observation.facts]
        seeds = {observation.number for observation in best_first(given)[: max(1, self.size // SEEDS)]}
        members = [each for each in ended if "edit" in each.facts or each.number in seeds]
        return members[-self.size :]

    def _child(self, population: list[Observation], rng: random.Random) -> Proposal | None:
        """The most promising of a few fresh children."""
        learnt, merit = self.guide.learnt(self.history, rng)
        model = fitted_model(self.guide.views([*learnt, *self.history.running]), merit, rng)
        believed, _ = model.predict(self.guide.views(population))
        children = self._children(population, believed.tolist(), rng)
        if not children:
            return None
        views = self.guide.views_of([self.guide.row(child.params) for _, child in children])
        parent, child = children[int(np.argmax(drawn_merits(model, views, BOLD, rng)))]
        return Proposal(child.params, {"parent": parent.number, "edit": child.edit})

    def _children(
        self, population: list[Observation], merits: list[float], rng: random.Random
    ) -> list[tuple[Observation, Child]]:
        """Fresh children of winners of tournaments, each architecture once."""
        found: dict[str | None, tuple[Observation, Child]] = {}
        for _ in range(RETRIES):
            winner = max(rng.sample(range(len(population)), self.tournament), key=merits.__getitem__)
            child = mutant(self.problem, population[winner].params, rng)
            screened = child and self.problem.screen(child.params)
            if child is not None and screened is not None and screened.fresh:
                found.setdefault(screened.arch_id, (population[winner], child))
            if len(found) == CHILDREN:
                break
        return list(found.values())
