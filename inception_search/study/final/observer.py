"""Observers of the final trainings, such as a terminal or a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inception_search.study.final.record import FinalRecord


class FinalsObserver:
    """Called by the loop; subclasses override the methods they need."""

    def started(self, done: int, left: int, epochs: int) -> None:
        """``done`` trainings are recorded already, ``left`` remain."""

    def epoch(self, name: str, metrics: dict[str, Any]) -> None:
        """A training has finished an epoch."""

    def recorded(self, name: str, record: FinalRecord) -> None:
        """A training has ended and is on disk."""

    def note(self, text: str) -> None:
        """A message for the user."""
