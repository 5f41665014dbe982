"""Who watches a search: a progress bar, a log, a test."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from getpass import getpass
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

    def ask_secret(self, question: str) -> str | None:
        """A password that a person types, without showing it; None where there is no terminal to ask at."""
        there = sys.stdin is not None and sys.stdin.isatty() and sys.stderr is not None and sys.stderr.isatty()
        return getpass(question) if there else None
