"""Search guided by a model that predicts the quality of points, like BANANAS (White et al., 1910.11858).

The model is a Gaussian process on decisions, their counts and the costs of networks. On the table of NAS-Bench-201 it
needed fewer trials than tree ensembles, and Thompson sampling left local optima in which an upper bound stayed.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from inception_search.options import Positive, Whole
from inception_search.strategies.candidate_pool import CandidatePool, PoolOptions, Prospect
from inception_search.strategies.features import Array, Decisions, costs
from inception_search.strategies.gaussian_process import GaussianProcess
from inception_search.strategies.history import History
from inception_search.strategies.protocol import Candidate, Observation, Problem, Proposal
from inception_search.strategies.unseen_point import fresh_point

# The factor on the standard deviation in Thompson sampling. With 1, four in a hundred searches of NAS-Bench-201 stayed
# in a local optimum for 200 trials; with 1.4, none did. The best of a thousand samples already explores. A conditional
# space has fewer candidates, mostly mutants of one kind of module, and searches with a small factor stayed with it.
BOLD, AMONG_MANY = 2.0, 1.4


class PredictorOptions(PoolOptions):
    """The options of ``predictor``."""

    # Baselines and warm starts do not count: the canonical modules are so similar that a model fitted to them alone
    # cannot predict other points.
    startup: Whole | None = None
    """Number of finished trials of random points before the model is used (default: a fifth of the study's trials, at
    least 3 and at most 10)."""
    parents: Whole = 10
    """Number of the best trials that are mutated."""
    # The time of a fit grows with the cube of this number.
    learnt: Whole = 100
    """The model is fitted to this many of the best and this many of the latest trials."""
    shortlist: Whole = 6
    """Number of the best-scored points that are scored again, with their costs and zero-cost proxies as features."""
    boldness: Positive | None = None
    """Factor on the posterior standard deviation in Thompson sampling (default: 2; 1.4 in a flat space without
    limits)."""
    looks: Whole = 60
    """Number of the best-scored points that may be rejected (already tried or outside the limits) before a random point
    is proposed."""


class Found(NamedTuple):
    """An unseen point on the shortlist."""

    prospect: Prospect
    screened: Candidate


class Predictor:
    """Ranks mutants of the best trials and random points by the model, and proposes the best unseen one.

    The first ranking uses only decisions, because building a network and counting its costs takes time. The few best
    are then built and ranked again with their costs and, if the study computes them, zero-cost proxies.
    """

    settings = PredictorOptions

    def __init__(self, problem: Problem, options: PredictorOptions | None = None) -> None:
        self.problem, self.options = problem, options or PredictorOptions()
        self.history = History()
        self.decisions = Decisions(problem.space)
        self.prospects = CandidatePool(problem, self.decisions, self.options)
        self.startup = self.options.startup or min(10, max(3, problem.trials // 5))
        self.boldness = self.options.boldness or (AMONG_MANY if self.prospects.free else BOLD)
        self.rows: dict[int, Array] = {}

    def tell(self, observation: Observation) -> None:
        """Store the observation."""
        self.history.tell(observation)
        if observation.number not in self.rows:
            self.rows[observation.number] = self.decisions.row(observation.params)

    def ask(self, number: int) -> Proposal | None:
        """The best unseen candidate; a random point at the start of a study, or if no candidate is unseen."""
        rng = self.problem.rng(number)
        if sum("parent" in each.facts for each in self.history.ended) >= self.startup:
            found = self._promising(number, rng)
            if found is not None:
                return Proposal(found.screened.params, {"parent": found.prospect.parent})
        params = fresh_point(self.problem, rng, fit=True)
        return None if params is None else Proposal(params, {"parent": None})

    def _promising(self, number: int, rng: random.Random) -> Found | None:
        learnt, merit = self._learnt(rng)
        known = [*learnt, *self.history.running]
        parents = [learnt[at] for at in np.argsort(-merit, kind="stable")[: self.options.parents]]
        prospects = self.prospects.of(parents, number)
        known_views = self._views(np.stack([self.rows[each.number] for each in known]))
        ahead = self._views(np.stack([prospect.row for prospect in prospects]))
        order = np.argsort(-self._drawn(known_views, merit, ahead, rng), kind="stable")
        shortlist = self._shortlist([prospects[at] for at in order])
        if len(shortlist) < 2:
            return shortlist[0] if shortlist else None
        ahead = self._views(np.stack([found.prospect.row for found in shortlist]))
        cost = costs([*(each.cost for each in known), *(found.screened.cost for found in shortlist)])
        drawn = self._drawn([*known_views, cost[: len(known)]], merit, [*ahead, cost[len(known) :]], rng)
        return shortlist[int(np.argmax(drawn))]

    def _learnt(self, rng: random.Random) -> tuple[list[Observation], Array]:
        """The training set of the model, in order of their ends (failed trials first), and the merit of each trial."""
        failed = [each for each in self.history.by_number.values() if each.state == "failed"]
        ended = [*failed, *self.history.ended]
        merit = merits(ended, rng)
        learnt = self.options.learnt
        if len(ended) <= 2 * learnt:
            return ended, merit
        best = np.argsort(-merit, kind="stable")[:learnt]
        chosen = np.union1d(best, np.arange(len(ended) - learnt, len(ended)))
        return [ended[at] for at in chosen], merit[chosen]

    def _views(self, rows: Array) -> list[Array]:
        return [rows, self.decisions.counts(rows)]

    def _shortlist(self, prospects: Sequence[Prospect]) -> list[Found]:
        """The first few unseen candidates, without repeated architectures."""
        found: dict[str | None, Found] = {}
        for prospect in prospects[: self.options.looks]:
            screened = self.problem.screen(prospect.params)
            if screened.fresh:
                found.setdefault(screened.arch_id, Found(prospect, screened))
            if len(found) == self.options.shortlist:
                break
        return list(found.values())

    def _drawn(self, known: Sequence[Array], merit: Array, ahead: Sequence[Array], rng: random.Random) -> Array:
        """Sampled merits of the points ``ahead``, from a model fitted to the points ``known`` (Thompson sampling).

        Points of ``known`` without a ``merit`` are running trials.
        """
        model = GaussianProcess([view[: len(merit)] for view in known], merit, rng)
        if len(known[0]) > len(merit):
            model.believe([view[len(merit) :] for view in known])
        mean, deviation = model.predict(ahead)
        drawn: Array = mean + self.boldness * deviation * np.array([rng.gauss(0.0, 1.0) for _ in mean])
        return drawn


AUGMENT = 0.05  # the share of the plain sum in the scalarisation, as in ParEGO


def merits(ended: Sequence[Observation], rng: random.Random) -> Array:
    """The merit of each trial: the normal quantile of its rank, larger for better trials, with mean 0 and variance 1.

    Trials stopped early rank behind longer trained ones, failed ones last. With several objectives, the rank is that of
    a randomly weighted Chebyshev sum of the ranks by each objective (Knowles, "ParEGO", IEEE TEC 2006).
    """
    from scipy.special import ndtri

    losses = np.array([each.losses for each in ended if each.losses is not None], dtype=float)
    scalars = iter(_scalars(np.where(np.isnan(losses), math.inf, losses), rng) if len(losses) else ())
    keys = [(-each.epochs, next(scalars)) if each.losses is not None else (1, math.inf) for each in ended]
    places = {key: place for place, key in enumerate(sorted(set(keys)))}
    order = _ranks(np.array([-places[key] for key in keys]))
    quantiles: Array = ndtri((order - 0.5) / len(keys))
    spread = float(quantiles.std())
    return (quantiles - quantiles.mean()) / spread if spread > 0.0 else quantiles


def _scalars(losses: Array, rng: random.Random) -> list[float]:
    """One scalar loss for each row of losses."""
    if losses.shape[1] == 1:
        return [float(loss) for loss in losses[:, 0]]
    parts = np.array([rng.expovariate(1.0) for _ in range(losses.shape[1])])
    ranks = np.stack([_ranks(column) for column in losses.T], axis=1)
    weighted = ranks * (parts / parts.sum())
    scalars: list[float] = (weighted.max(axis=1) + AUGMENT * weighted.sum(axis=1)).tolist()
    return scalars


def _ranks(values: Array) -> Array:
    """The ranks from 1, ties with their mean rank, as ``scipy.stats.rankdata``, which takes a second to import."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    means: Array = np.cumsum(counts) - (counts - 1) / 2.0
    return means[which]
