"""Zero-cost proxies in a search: as a filter of the first points, and as features of the predictor."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.spec.network import Network
from inception_search.study.config import StudyConfig
from inception_search.study.proposer import Wanted
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


def warm_up(space: Space, config: StudyConfig, scorer: Scorer, done: int) -> Callable[[Screen], Iterator[Wanted]]:
    """What a proposer trains before its strategy is asked; ``done`` of it have begun in an earlier session.

    Abdelfattah et al., "Zero-cost proxies for lightweight NAS", 2101.08134, section 4: warm-up.
    """

    def points(screen: Screen) -> Iterator[Wanted]:
        name = config.warmup_proxy
        if name is None or done >= config.warmup_trials:
            return
        scored = []
        for index, (params, network) in enumerate(_drawn(space, config, screen)):
            score = scorer(network, (name,)).get(name)
            if score is not None:
                scored.append((-score, index, params))
        scored.sort(key=lambda each: each[:2])
        for score, _, params in scored[: config.warmup_trials - done]:
            yield Wanted(params, facts={"warm_up": name, "score": -score})

    return points


def _drawn(space: Space, config: StudyConfig, screen: Screen) -> Iterator[tuple[Params, Network]]:
    """Random points that can be trained and have not been; the same ones when a study goes on."""
    rng = random.Random(f"warm-up:{config.seed}")
    taken = set()
    for _ in range(config.warmup_points):
        params = space.sample(rng)
        screened, candidate = screen.looked_at(params)
        if screened.fresh and candidate is not None and screened.arch_id not in taken:
            taken.add(screened.arch_id)
            yield params, candidate.network
