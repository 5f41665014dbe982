"""The data that the sections of a report are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from inception_search.analysis.importance import Importance
from inception_search.store.query import leaderboard
from inception_search.store.record import TrialRecord

if TYPE_CHECKING:
    from inception_search.report.latency_facts import LatencyFacts

VARYING = ("module",)  # the parts assumed to vary if the space is unknown


@dataclass(frozen=True)
class SpaceFacts:
    """A search space in words; ``holes`` are the name and the possible values of each decision."""

    name: str
    about: str
    size: str
    """The number of points, in words."""
    holes: Sequence[tuple[str, str]]
    points: int | float | None = None
    """The number of points; None if no float is that large."""
    varying: Sequence[str] = ()
    """The blocks and stages with decisions, by name."""


@dataclass(frozen=True)
class Material:
    """The records of a study, its configuration, and the results of the analyses."""

    records: Sequence[TrialRecord]
    study: Mapping[str, Any] = field(default_factory=dict)
    title: str = "Search"
    state: str = ""
    """The progress of the study in a sentence; empty for a finished study."""
    space: SpaceFacts | None = None
    front: Sequence[int] | None = None
    """Trial numbers of the front of the study's own objectives; None: the front of accuracy and MACs."""
    hypervolume: float | None = None
    rankings: Sequence[Importance] = ()
    environments: Sequence[Mapping[str, str]] = ()
    latency: LatencyFacts | None = None
    """The table of latencies of another machine, if the study has one."""
    plots: Mapping[str, str] = field(default_factory=dict)
    """SVG of each plot by name; added by :func:`write_report`."""

    @property
    def run(self) -> str:
        """The run folder as named in the study, for the commands in the report."""
        return str(self.study.get("run") or "RUN")

    @property
    def varying(self) -> Sequence[str]:
        """The blocks and stages that the search varies, which the figures show."""
        return (self.space and self.space.varying) or VARYING

    @cached_property
    def best(self) -> TrialRecord | None:
        """The best trial that is not a baseline."""
        return next((r for r in leaderboard(self.records, len(self.records)) if r.origin != "baseline"), None)

    def option(self, name: str) -> Any:
        """An option of the study; None if it is not set."""
        return self.study.get(name)
