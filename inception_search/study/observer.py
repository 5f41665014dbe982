"""Who watches a search: a progress bar, a log, a test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inception_search.store.record import TrialRecord
from inception_search.study.config import StudyConfig


class Observer:
    """Called by the loop; every method may be left as it is."""

    def started(self, config: StudyConfig, records: Sequence[TrialRecord]) -> None:
        """The search begins, or goes on after the trials in ``records``."""

    def launched(self, number: int, label: str | None) -> None:
        """A trial's process starts."""

    def epoch(self, number: int, metrics: dict[str, Any]) -> None:
        """A trial has finished an epoch."""

    def recorded(self, record: TrialRecord) -> None:
        """A trial has ended and is on disk."""

    def note(self, text: str) -> None:
        """Something a person should know."""
