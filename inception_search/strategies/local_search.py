"""Local search with restarts (White et al., "Local Search is State of the Art for Neural Architecture Search
Benchmarks", 2005.02960; for several objectives: Paquete et al., "Pareto Local Optimum Sets", 2004)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator

from inception_search.errors import SpecError
from inception_search.options import Options, Positive, Whole
from inception_search.space.holes import Params
from inception_search.space.neighbours import changes
from inception_search.strategies.history import History, best_first, leaders
from inception_search.strategies.protocol import Observation, Problem, Proposal
from inception_search.strategies.unseen_point import fresh_point


class LocalOptions(Options):
    """The options of ``local``."""

    starts: Whole = 5
    """Number of trials, baselines included, before neighbours of the best ones are tried."""
    patience: Positive = 2
    """Number of neighbours without improvement, per hole of a point, before the point counts as a local optimum."""


class LocalSearch:
    """First-improvement local search: when a neighbour is better, its neighbours are tried next, in random order.

    A point is abandoned when all its neighbours are known, or after many without improvement. When all leading points
    are abandoned, a new restart begins at a random point. Further neighbours are proposed while others are trained.
    """

    settings = LocalOptions

    def __init__(self, problem: Problem, options: LocalOptions | None = None) -> None:
        self.problem, self.options = problem, options or LocalOptions()
        self.history = History()
        self.used_up: set[int] = set()  # trials with no unseen neighbour left

    def tell(self, observation: Observation) -> None:
        """Store the observation."""
        self.history.tell(observation)

    def ask(self, number: int) -> Proposal | None:
        """An unseen neighbour of the best point that is not abandoned, else a random start."""
        trials, restarts = self.history.by_number.values(), self._restarts()
        tried = _tried(trials)
        if len(trials) >= self.options.starts:
            incumbents = [each for members in restarts.values() for each in leaders(members)]
            for incumbent in best_first(incumbents):
                worth = tried[incumbent.number] < self.options.patience * len(incumbent.params)
                params = self._neighbour(incumbent) if worth else None
                if params is not None:
                    facts = {"restart": incumbent.facts.get("restart", 0), "from": incumbent.number}
                    return Proposal(params, facts)
        params = fresh_point(self.problem, self.problem.rng(number))
        begun = max((_restart(each) for each in trials), default=0)
        return None if params is None else Proposal(params, {"restart": begun + 1})

    def _restarts(self) -> dict[int, list[Observation]]:
        """The trials that ended, by restart; baselines and warm starts belong to the first restart."""
        members: dict[int, list[Observation]] = {}
        for observation in self.history.ended:
            members.setdefault(_restart(observation), []).append(observation)
        return members

    def _neighbour(self, incumbent: Observation) -> Params | None:
        """The next unseen neighbour, in an order that depends only on the incumbent."""
        if incumbent.number in self.used_up:
            return None
        unseen = (params for params in self._neighbours(incumbent) if self.problem.screen(params).fresh)
        params = next(unseen, None)
        if params is None:
            self.used_up.add(incumbent.number)
        return params

    def _neighbours(self, incumbent: Observation) -> Iterator[Params]:
        space, params = self.problem.space, incumbent.params
        moves = [(name, value) for name in params for value in changes(space.holes[name], params[name])]
        random.Random(f"{self.problem.seed}:neighbours:{incumbent.number}").shuffle(moves)
        for name, value in moves:
            try:
                yield space.changed(params, {name: value})
            except SpecError:  # this neighbour is not a valid network
                continue


def _restart(observation: Observation) -> int:
    return int(observation.facts.get("restart", 0))


def _tried(trials: Iterable[Observation]) -> Counter[int]:
    """The number of neighbours of each trial that were tried or are being trained."""
    return Counter(each.facts["from"] for each in trials if "from" in each.facts)
