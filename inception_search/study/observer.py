"""Who watches a search: a progress bar, a log, a test."""

from __future__ import annotations

from typing import Any

from inception_search.store.record import TrialRecord


class Observer:
    """Called by the loop; every method may be left as it is."""

    def started(self, total: int, done: int) -> None:
        """The search begins (or goes on) with ``done`` of ``total`` trials trained."""

    def launched(self, number: int, label: str | None) -> None:
        """A trial's process starts."""

    def epoch(self, number: int, metrics: dict[str, Any]) -> None:
        """A trial has finished an epoch."""

    def recorded(self, record: TrialRecord) -> None:
        """A trial has ended and is on disk."""

    def note(self, text: str) -> None:
        """Something a person should know."""
