"""Zero-cost proxies in a search: as a filter of the first points, and as features of the predictor."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from inception_search.space.holes import Params
from inception_search.spec.network import Network
from inception_search.strategies.protocol import Problem
from inception_search.strategies.unseen_point import fresh_point
from inception_search.study.config import StudyConfig
from inception_search.study.queue import Wanted
from inception_search.study.screen import Screen

if TYPE_CHECKING:
    from pathlib import Path

    from inception_search.proxies.batch import ProxyBatch

Scorer = Callable[[Network, tuple[str, ...]], Mapping[str, float]]


def make_scorer(data_file: Path, seed: int) -> Scorer:
    """Scores of networks on the study's training images, by the names of proxies."""

    def score_it(network: Network, names: tuple[str, ...]) -> Mapping[str, float]:
        from inception_search.proxies.score import proxy_batch, score

        if not batches:
            batches.append(proxy_batch(data_file, seed=seed))
        return score(network, batches[0], names, seed=seed)

    batches: list[ProxyBatch] = []
    return score_it


def warm_up(draws: Problem, config: StudyConfig, scorer: Scorer, done: int) -> Callable[[Screen], Iterator[Wanted]]:
    """What a proposer trains before its strategy is asked; ``done`` of it have begun in an earlier session.

    ``draws``: the problem as if nothing had been trained yet, so that a study that goes on draws the same points.

    Abdelfattah et al., "Zero-cost proxies for lightweight NAS", 2101.08134, section 4: warm-up.
    """

    def points(screen: Screen) -> Iterator[Wanted]:
        name = config.warmup_proxy
        if name is None or done >= config.warmup_trials:
            return
        scored = []
        for index, (params, network) in enumerate(_drawn(draws, config, screen)):
            score = scorer(network, (name,)).get(name)
            if score is not None:
                scored.append((-score, index, params))
        scored.sort(key=lambda each: each[:2])
        for score, _, params in scored[: config.warmup_trials - done]:
            yield Wanted(params, facts={"warm_up": name, "score": -score})

    return points


def _drawn(draws: Problem, config: StudyConfig, screen: Screen) -> Iterator[tuple[Params, Network]]:
    """Random points within the limits that can be trained and have not been."""
    taken = set()
    for index in range(config.warmup_points):
        params = fresh_point(draws, random.Random(f"warm-up:{config.seed}:{index}"))
        screened, candidate = screen.looked_at(params) if params is not None else (None, None)
        if candidate is not None and screened is not None and screened.fresh and candidate.arch_id not in taken:
            taken.add(candidate.arch_id)
            yield candidate.holes, candidate.network
