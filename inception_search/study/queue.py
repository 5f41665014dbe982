"""Which point comes next: canonical modules, earlier studies' best, what proxies like, then what the strategy asks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from inception_search.errors import InceptionSearchError
from inception_search.measures.budget import Budget
from inception_search.measures.sample import sample_within
from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.space.spelling import parted
from inception_search.store.record import Origin
from inception_search.strategies.protocol import Observation, Strategy
from inception_search.study.config import StudyConfig
from inception_search.study.screen import Screen
from inception_search.study.setting import Setting

_TRIES = 20  # points drawn before one is repaired, where the strategy finds none


@dataclass(frozen=True)
class Wanted:
    """A point to be trained, who wants it, and why."""

    params: Params
    origin: Origin = "sampled"
    label: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


Fill = Callable[[Screen], Iterable[Wanted]]


class Proposer:
    """Gives one point after another; ``queue`` comes first, ``fill`` makes more of it when that is used up."""

    def __init__(self, setting: Setting, budget: Budget, screen: Screen, strategy: Strategy, *, warmup: Fill) -> None:
        self.setting, self.budget, self.screen, self.strategy = setting, budget, screen, strategy
        self.queue: deque[Wanted] = deque()
        self.warmup: Fill | None = warmup

    def next(self, number: int) -> Wanted | None:
        """The point of trial ``number``; None where nobody knows a fresh one."""
        if not self.queue and self.warmup is not None:
            warmup, self.warmup = self.warmup, None
            self.queue.extend(warmup(self.screen))
        if self.queue:
            return self.queue.popleft()
        proposal = self.strategy.ask(number)
        if proposal is not None and self.screen(proposal.params).fresh:
            return Wanted(proposal.params, facts=proposal.facts)
        return None if self.setting.config.strategy == "grid" else self._rescue(number)

    def tell(self, observation: Observation) -> None:
        """A trial has begun or ended."""
        self.strategy.tell(observation)

    def _rescue(self, number: int) -> Wanted | None:
        """A fresh point within the limits, drawn or repaired, where the strategy finds none."""
        shape, classes = self.setting.shape, self.setting.classes
        for seed in range(self.setting.config.seed + number, self.setting.config.seed + number + 3):
            try:
                found = sample_within(self.setting.space, self.budget, seed, tries=_TRIES, shape=shape, classes=classes)
            except InceptionSearchError:
                return None
            if self.screen(found.params).fresh:
                return Wanted(found.params, facts={"how": found.how})
        return None


def baselines(space: Space, config: StudyConfig, known: Iterable[str | None]) -> list[Wanted]:
    """The canonical modules that no trial has yet."""
    if not config.baselines:
        return []
    missing = [label for label in space.fixed_points if label not in set(known)]
    return [Wanted(parted(space.encode(space.fixed_points[label]))[0], "baseline", label) for label in missing]
