"""A point of the space under consideration: what is trained for it, where it comes from, since when."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from inception_search.store.record import Origin, utc_now
from inception_search.study.candidate import Candidate


@dataclass
class Point:
    """One trial: its number, its candidate and who asked for it."""

    number: int
    candidate: Candidate
    origin: Origin = "sampled"
    label: str | None = None
    """Name of the canonical network or module that a baseline is; of the run that a warm start is from."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What the strategy said of it."""
    seed: int = 0
    repeat_of: int | None = None
    begun: float = field(default_factory=time.monotonic)
    started: str = field(default_factory=utc_now)

    @property
    def first(self) -> int:
        """The number of the trial that trains this architecture first."""
        return self.number if self.repeat_of is None else self.repeat_of

    @property
    def spared(self) -> bool:
        """Whether it is trained to its end whatever it shows: baselines are what the others are compared with."""
        return self.origin == "baseline"

    @property
    def seconds(self) -> float:
        """Since it was asked for, or started."""
        return time.monotonic() - self.begun

    def again(self) -> Point:
        """The same, starting now."""
        return Point(self.number, self.candidate, self.origin, self.label, self.facts, self.seed, self.repeat_of)
