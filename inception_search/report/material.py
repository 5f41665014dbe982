"""What the sections of a report are made from; whoever writes one fills in what is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from inception_search.analysis.importance import Importance
from inception_search.store.query import leaderboard
from inception_search.store.record import TrialRecord

VARYING = ("module",)  # what is taken to vary where the space is not known


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
    varying: Sequence[str] = ()
    """The blocks and stages with decisions, by name."""


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
    rankings: Sequence[Importance] = ()
    environments: Sequence[Mapping[str, str]] = ()
    plots: Mapping[str, str] = field(default_factory=dict)
    """SVG of each plot by name; filled in by the writer."""

    @property
    def run(self) -> str:
        """The run folder as the study calls it: the commands in a report name it."""
        return str(self.study.get("run") or "RUN")

    @property
    def varying(self) -> Sequence[str]:
        """The blocks and stages that the search varies: what pictures show."""
        return (self.space and self.space.varying) or VARYING

    @cached_property
    def best(self) -> TrialRecord | None:
        """The best trial that the search itself found."""
        return next((r for r in leaderboard(self.records, len(self.records)) if r.origin != "baseline"), None)

    def option(self, name: str) -> Any:
        """An option of the study; None where it is not set or not known."""
        return self.study.get(name)
