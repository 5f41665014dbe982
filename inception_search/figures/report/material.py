"""What the sections of a report are made from; whoever writes one fills in what is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from inception_search.store.query import leaderboard
from inception_search.store.record import TrialRecord


@dataclass(frozen=True)
class SpaceFacts:
    """A search space in words; ``holes`` are name and possible values of each decision."""

    name: str
    about: str
    size: str
    """The number of points, in words."""
    holes: Sequence[tuple[str, str]]
    points: int | float | None = None
    """As a number; None where no float is as large."""


class RankedRow(Protocol):
    """One bar: how much it matters, between ``low`` and ``high``."""

    @property
    def name(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def cells(self) -> Sequence[str]:
        """What the table says of it, column by column."""
        ...


class Ranking(Protocol):
    """Answers to one question about what matters, the most important first; or why there are none."""

    @property
    def title(self) -> str: ...
    @property
    def about(self) -> str:
        """How it was found out, from how many trials, and what the numbers are, in a few sentences."""
        ...

    @property
    def axis(self) -> str: ...
    @property
    def columns(self) -> Sequence[str]: ...
    @property
    def rows(self) -> Sequence[RankedRow]: ...
    @property
    def chance(self) -> float | None:
        """What chance alone reaches; None where zero is the line to look at."""
        ...

    @property
    def refusal(self) -> str | None:
        """Why there are no rows."""
        ...


@dataclass(frozen=True)
class Material:
    """The records of a study, its configuration, and what other rooms found out about it."""

    records: Sequence[TrialRecord]
    study: Mapping[str, Any] = field(default_factory=dict)
    title: str = "Search"
    state: str = ""
    """How far the study has come, in a sentence; empty for one that is done."""
    space: SpaceFacts | None = None
    front: Sequence[int] | None = None
    """Numbers of the trials on the front of the study's own objectives; None: of accuracy and multiply-adds."""
    hypervolume: float | None = None
    rankings: Sequence[Ranking] = ()
    environments: Sequence[Mapping[str, str]] = ()
    plots: Mapping[str, str] = field(default_factory=dict)
    """SVG of each plot by name; filled in by the writer."""

    @property
    def run(self) -> str:
        """The run folder as the study calls it: the commands in a report name it."""
        return str(self.study.get("run") or "RUN")

    @cached_property
    def best(self) -> TrialRecord | None:
        """The best trial that the search itself found."""
        return next((r for r in leaderboard(self.records, len(self.records)) if r.origin != "baseline"), None)

    def option(self, name: str) -> Any:
        """An option of the study; None where it is not set or not known."""
        return self.study.get(name)
