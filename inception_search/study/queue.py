"""The order of proposals: canonical modules, the best of earlier studies, the best by a proxy, then the strategy's."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from inception_search.errors import InceptionSearchError, Place, RunFolderError
from inception_search.measures.budget import Budget
from inception_search.measures.sample_within import sample_within
from inception_search.space.holes import Params
from inception_search.space.sampling import first as _first
from inception_search.space.space import Space
from inception_search.spec.documents.parse import network_from_data
from inception_search.spec.network import Network
from inception_search.spec.transform import set_classes, set_input
from inception_search.store.query import leaderboard
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.strategies.protocol import Observation, Problem, Proposal, Strategy
from inception_search.strategies.unseen_point import fresh_point
from inception_search.study.config import StudyConfig
from inception_search.study.context import StudyContext
from inception_search.study.feasibility import Screen

if TYPE_CHECKING:
    from pathlib import Path

    from inception_search.proxies.batch import ProxyBatch

Scorer = Callable[[Network, tuple[str, ...]], Mapping[str, float]]
Warmup = Callable[[Screen], Iterable[Proposal]]
_TRIES = 20  # points drawn before one is repaired, if the strategy finds none


class Proposer:
    """Returns one point after another: those in ``queue``, then those of ``warmup``, then the strategy's."""

    def __init__(
        self, context: StudyContext, budget: Budget, screen: Screen, strategy: Strategy, *, warmup: Warmup
    ) -> None:
        self.context, self.budget, self.screen, self.strategy = context, budget, screen, strategy
        self.queue: deque[Proposal] = deque()
        self.warmup: Warmup | None = warmup

    def next(self, number: int) -> Proposal | None:
        """The point of trial ``number``; None if no unseen feasible one is found."""
        if not self.queue and self.warmup is not None:
            warmup, self.warmup = self.warmup, None
            self.queue.extend(warmup(self.screen))
        if self.queue:
            return self.queue.popleft()
        proposal = self.strategy.ask(number)
        if proposal is not None and self.screen(proposal.params).fresh:
            return proposal
        return None if self.context.config.strategy == "grid" else self._rescue(number)

    def tell(self, observation: Observation) -> None:
        """Report to the strategy that a trial has begun or ended."""
        self.strategy.tell(observation)

    def _rescue(self, number: int) -> Proposal | None:
        """An unseen point within the budget, sampled or repaired, for when the strategy finds none."""
        shape, classes = self.context.shape, self.context.classes
        for seed in range(self.context.config.seed + number, self.context.config.seed + number + 3):
            try:
                found = sample_within(self.context.space, self.budget, seed, tries=_TRIES, shape=shape, classes=classes)
            except InceptionSearchError:
                return None
            if self.screen(found.params).fresh:
                return Proposal(found.params, {"how": found.origin})
        return None


def baselines(space: Space, config: StudyConfig, known: Iterable[str | None]) -> list[Proposal]:
    """The canonical modules that have no trial yet."""
    if not config.baselines:
        return []
    missing = [label for label in space.fixed_points if label not in set(known)]
    return [Proposal(dict(space.encode(space.fixed_points[label])), {}, "baseline", label) for label in missing]


def warm_points(space: Space, config: StudyConfig, known: Iterable[str | None] = ()) -> list[Proposal]:
    """The best networks of the runs in ``config.warm_start``, except those with a label in ``known``.

    Raises RunFolderError for a folder without a study, or with no network in the space.
    """
    taken = set(known)
    found = []
    for name in config.warm_start:
        run = RunFolder.open(name)
        points = list(_best_points(space, run, config.warm_top))
        if not points:
            rule = f"none of the trained networks is in space {space.name!r}"
            hint = "remove it from warm_start, or search a space that contains them"
            raise RunFolderError(rule, place=Place(str(run.path)), hint=hint)
        found += points
    return [point for point in found if point.label not in taken]


def _best_points(space: Space, run: RunFolder, top: int) -> Iterator[Proposal]:
    earlier = Space(run.space_text(), str(run.space_file))
    given = 0
    for record in leaderboard(run.records(), 10**9):
        params = _found_again(space, earlier, record)
        if params is not None and given < top:
            given += 1
            facts = {"from_run": str(run.path), "from_trial": record.number}
            yield Proposal(params, facts, "warm_start", f"{run.path.name}:{record.number}")


def _found_again(space: Space, earlier: Space, record: TrialRecord) -> dict[str, str | int | float] | None:
    """The point of a record's network: decoded in its own space, else as trained, resized to this space's images."""
    candidates: list[Network] = []
    with suppress(InceptionSearchError):
        candidates.append(earlier.decode(dict(record.holes)))
    if record.network is not None:
        trained, own = network_from_data(record.network), space.fill(_first)[0]
        sized = set_input(trained, channels=own.input.channels, height=own.input.height, width=own.input.width)
        candidates.append(set_classes(sized, own.head.classes))
    for network in candidates:
        with suppress(InceptionSearchError):
            return dict(space.encode(network))
    return None


def make_scorer(data_file: Path, seed: int) -> Scorer:
    """A function that scores networks on the study's training images with the named proxies."""

    def score_it(network: Network, names: tuple[str, ...]) -> Mapping[str, float]:
        from inception_search.proxies.score import proxy_batch, score

        if not batches:
            batches.append(proxy_batch(data_file, seed=seed))
        return score(network, batches[0], names, seed=seed)

    batches: list[ProxyBatch] = []
    return score_it


def warm_up(draws: Problem, config: StudyConfig, scorer: Scorer, done: int) -> Warmup:
    """The points to train before the strategy proposes any; ``done`` of them began in an earlier session.

    ``draws``: the problem without any trained networks, so that a resumed study draws the same points.

    Abdelfattah et al., "Zero-cost proxies for lightweight NAS", 2101.08134, section 4: warm-up.
    """

    def points(screen: Screen) -> Iterator[Proposal]:
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
            yield Proposal(params, {"warm_up": name, "score": -score})

    return points


def _drawn(draws: Problem, config: StudyConfig, screen: Screen) -> Iterator[tuple[Params, Network]]:
    """Random feasible points that have not been trained."""
    taken = set()
    for index in range(config.warmup_points):
        params = fresh_point(draws, random.Random(f"warm-up:{config.seed}:{index}"))
        candidate = None if params is None else screen(params)
        if candidate is None or candidate.network is None or not candidate.fresh or candidate.arch_id in taken:
            continue
        taken.add(candidate.arch_id)
        yield candidate.params, candidate.network
