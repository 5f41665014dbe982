"""Observers of a search, such as a progress bar, a log or a test."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from getpass import getpass
from typing import Any

from inception_search.store.record import TrialRecord
from inception_search.study.config import StudyConfig


class Observer:
    """Called by the loop; subclasses override the methods they need."""

    def started(self, config: StudyConfig, records: Sequence[TrialRecord]) -> None:
        """The search begins, or continues after the trials in ``records``."""

    def launched(self, number: int, label: str | None) -> None:
        """A trial's process starts."""

    def epoch(self, number: int, metrics: dict[str, Any]) -> None:
        """A trial has finished an epoch."""

    def recorded(self, record: TrialRecord) -> None:
        """A trial has ended and is on disk."""

    def note(self, text: str) -> None:
        """A message for the user."""

    def ask_secret(self, question: str) -> str | None:
        """A password typed by the user without echo; None without a terminal."""
        there = sys.stdin is not None and sys.stdin.isatty() and sys.stderr is not None and sys.stderr.isatty()
        return getpass(question) if there else None
