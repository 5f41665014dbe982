"""Predictor-guided search: a Gaussian process on decisions, counts and costs chooses among mutants of the best.

The plan is that of BANANAS (White et al., "BANANAS: Bayesian Optimization with Neural Architectures for Neural
Architecture Search", 1910.11858, sections 4 and 5): an uncertain predictor, candidates near what is good. Measured on
NAS-Bench-201, a process with an upper confidence bound needs fewer trials than ensembles of trees or networks.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import norm

from inception_search.errors import InceptionSearchError
from inception_search.estimate import estimate
from inception_search.space.holes import Params, Value
from inception_search.space.neighbours import changes
from inception_search.study.strategies.features import Array, Encoder, cost_row, leaves
from inception_search.study.strategies.fresh import fresh_point
from inception_search.study.strategies.gaussian_process import GaussianProcess, Setting, fitted, settings
from inception_search.study.strategies.history import History
from inception_search.study.strategies.standing import best_first
from inception_search.study.strategies.strategy import Observation, Problem, Proposal

STARTUP = 10  # trials, given ones included, before anything is predicted
PARENTS = 10  # best trials whose mutants are candidates
MUTANTS, DRAWN = 100, 50  # candidates
TWO_STEPS = 0.3  # of the mutants that are two decisions away
BEST, LATEST = 120, 130  # trials the process is fitted to
CAUTION = 1.0  # standard deviations added to the mean
REFINED = 24  # candidates, the best without their costs, whose costs are asked for
TUNED_EVERY = 10  # trials between searches for the kernel
TUNED_AMONG, OTHERS = 60, 6  # settings looked at then, and at every ask
COSTS = ("params", "macs", "depth")


class Predictor:
    """Asks for the candidate of the highest upper confidence bound; one objective, or a random weighing of several."""

    def __init__(self, problem: Problem, startup: int = STARTUP) -> None:
        self.problem, self.startup = problem, startup
        self.history = History()
        self.encoder = Encoder(problem.space)
        self.leaves = leaves(problem.space)
        self.tuned = lru_cache(maxsize=4)(self._tuned)
        self.cost_of = lru_cache(maxsize=20_000)(self._cost)
        self.drawn = lru_cache(maxsize=2)(self._drawn)

    def tell(self, observation: Observation) -> None:
        """Keep it."""
        self.history.tell(observation)

    def ask(self, number: int) -> Proposal | None:
        """The most promising fresh candidate; a random point while little is known, or where no candidate is fresh."""
        rng = self.problem.rng(number)
        if len(self.history.ended) >= self.startup:
            ordered = self._ordered(rng)
            parents = ordered[:PARENTS]
            candidates = self._candidates(parents, number, rng)
            for params, parent in self._ranked(ordered, candidates, number):
                if self.problem.screen(params).fresh:
                    return Proposal(params, {"parent": parent} if parent is not None else {})
        params_or_none = fresh_point(self.problem, rng)
        return None if params_or_none is None else Proposal(params_or_none)

    def _ordered(self, rng: random.Random) -> list[Observation]:
        """What is known, best first: by the loss, or by one random weighing of several (Knowles, ParEGO, 2006)."""
        return self._sorted(self.history.ended, rng)

    def _sorted(self, ended: Sequence[Observation], rng: random.Random) -> list[Observation]:
        if self.problem.objectives == 1:
            return best_first(ended)
        every = [each.losses or () for each in ended]
        columns = [sorted(column) for column in zip(*every, strict=True)]
        weights = [rng.expovariate(1.0) for _ in columns]

        def worst(observation: Observation) -> float:
            places = [
                column.index(loss) / len(column) for column, loss in zip(columns, observation.losses or (), strict=True)
            ]
            return max(weight * place for weight, place in zip(weights, places, strict=True)) + 0.05 * sum(places)

        return sorted(ended, key=lambda each: (-each.epochs, worst(each), each.number))

    def _candidates(
        self, parents: Sequence[Observation], number: int, rng: random.Random
    ) -> list[tuple[Params, int | None]]:
        """Mutants of the best and random points, each once, with the number of the parent."""
        found: dict[frozenset[tuple[str, Value]], tuple[Params, int | None]] = {}
        for params in self.drawn(number // TUNED_EVERY):
            found.setdefault(frozenset(params.items()), (params, None))
        for _ in range(MUTANTS):
            parent = parents[rng.randrange(len(parents))]
            mutant = self._mutated(parent.params, rng)
            if mutant is not None and rng.random() < TWO_STEPS:
                mutant = self._mutated(mutant, rng) or mutant
            if mutant is not None:
                found[frozenset(mutant.items())] = (mutant, parent.number)
        for observation in self.history.by_number.values():
            found.pop(frozenset(observation.params.items()), None)
        return list(found.values())

    def _mutated(self, params: Params, rng: random.Random) -> Params | None:
        """The point with one decision changed; one that decides about others is changed by the space."""
        name = rng.choice(list(params))
        values = list(changes(self.problem.space.holes[name], params[name]))
        if not values:
            return None
        update = {name: rng.choice(values)}
        if name in self.leaves:
            return {**params, **update}
        try:
            return self.problem.space.changed(params, update)
        except InceptionSearchError:  # the changed point breaks a rule of documents
            return None

    def _drawn(self, turn: int) -> list[Params]:
        """Random points, new ones now and then."""
        rng = random.Random(f"{self.problem.seed}:drawn:{turn}")
        found = []
        for _ in range(DRAWN):
            try:
                found.append(self.problem.space.sample(rng))
            except InceptionSearchError:
                continue
        return found

    def _ranked(
        self, ordered: Sequence[Observation], candidates: Sequence[tuple[Params, int | None]], number: int
    ) -> Iterable[tuple[Params, int | None]]:
        """The candidates, most promising first."""
        if not candidates:
            return []
        chosen = _chosen(ordered, self.history.ended)
        shown = [observation.params for observation in chosen]
        # Those that are being trained are taken to come out as predicted: nothing near them is asked for twice.
        running = [observation.params for observation in self.history.running]
        points = [params for params, _ in candidates]
        quick = self._bound(chosen, shown, running, points, costs=False, number=number)
        best = np.argsort(-quick, kind="stable")[:REFINED]
        bound = self._bound(chosen, shown, running, [points[at] for at in best], costs=True, number=number)
        refined = [candidates[best[at]] for at in np.argsort(-bound, kind="stable")]
        rest = [candidates[at] for at in np.argsort(-quick, kind="stable")[REFINED:]]
        return [*refined, *rest]

    def _bound(
        self,
        chosen: Sequence[Observation],
        shown: list[Params],
        running: list[Params],
        points: list[Params],
        *,
        costs: bool,
        number: int,
    ) -> Array:
        """The upper confidence bound (points,) of how good they are."""
        blocks = self._blocks([*shown, *running, *points], costs)
        known, pending = len(shown), len(running)
        spread = [_distances(block, known, index == 0) for index, block in enumerate(blocks)]
        inside = [away[:known, :known] for away in spread]
        targets = _normal_scores(len(chosen))
        process = fitted(inside, targets, self._settings(number, len(blocks)))
        if pending:
            mean, _ = process.predict([away[:known, known : known + pending] for away in spread])
            size = known + pending
            targets = np.concatenate([targets, mean])
            process = GaussianProcess([away[:size, :size] for away in spread], targets, process.setting)
            known = size
        mean, deviation = process.predict([away[:known, known:] for away in spread])
        return np.asarray(mean + CAUTION * deviation)

    def _settings(self, number: int, blocks: int) -> list[Setting]:
        """The kernels looked at: the one that suited the trials some time ago, and a few others."""
        others = random.Random(f"{self.problem.seed}:kernel:{number}").sample(settings(blocks), OTHERS)
        return [self.tuned(len(self.history.ended) // TUNED_EVERY * TUNED_EVERY, blocks), *others]

    def _tuned(self, count: int, blocks: int) -> Setting:
        """The likeliest kernel for the first ``count`` trials that ended: it depends on nothing that came later."""
        first = self.history.ended[:count]
        ordered = self._sorted(first, random.Random(f"{self.problem.seed}:tuned:{count}"))
        chosen = _chosen(ordered, first)
        parts = self._blocks([each.params for each in chosen], blocks == 3)
        spread = [_distances(block, len(chosen), index == 0) for index, block in enumerate(parts)]
        among = random.Random(f"{self.problem.seed}:grid:{count}").sample(settings(blocks), TUNED_AMONG)
        return fitted(spread, _normal_scores(len(chosen)), among).setting

    def _blocks(self, points: list[Params], costs: bool) -> list[Array]:
        blocks = [self.encoder.decisions(points), self.encoder.counts(points)]
        if costs:
            rows = [self.cost_of(frozenset(params.items())) for params in points]
            blocks.append(np.array(rows))
        return blocks

    def _cost(self, key: frozenset[tuple[str, Value]]) -> tuple[float, ...]:
        """The costs of a point at the size of the space, as far as it is a network."""
        try:
            cost = estimate(self.problem.space.decode(dict(key))).to_dict()
        except InceptionSearchError:
            cost = {}
        return tuple(cost_row(cost, COSTS))


def _chosen(ordered: Sequence[Observation], ended: Sequence[Observation]) -> list[Observation]:
    """The best and the latest trials, best first."""
    if len(ordered) <= BEST + LATEST:
        return list(ordered)
    wanted = {each.number for each in ordered[:BEST]} | {each.number for each in ended[-LATEST:]}
    return [each for each in ordered if each.number in wanted]


def _normal_scores(count: int) -> Array:
    """What ``count`` trials, best first, are worth: the order is what is believed, not the size of differences."""
    return np.asarray(norm.ppf((np.arange(count, 0, -1) - 0.5) / count))


def _distances(block: Array, known: int, decisions: bool) -> Array:
    """(known + pending, all) distances of one block: decisions by their number, others as standardised squares."""
    if decisions:
        away = cdist(block, block, "cityblock")
        return np.asarray(away / max(1.0, float(away[:known, :known].max(initial=0.0))))
    mean, deviation = block[:known].mean(axis=0), block[:known].std(axis=0)
    varied = deviation > 1e-9
    if not varied.any():
        return np.zeros((len(block), len(block)))
    scaled = (block[:, varied] - mean[varied]) / deviation[varied]
    return np.asarray(cdist(scaled, scaled, "sqeuclidean") / (2.0 * int(varied.sum())))
