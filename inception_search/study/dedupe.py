"""Which architectures have been trained, or are being trained."""

from __future__ import annotations

from collections.abc import Iterable

from inception_search.store.record import TrialRecord

TRAINED = ("complete", "pruned", "failed")


class Seen:
    """Architectures by id: the trial that trained each, and what came of it once that is known."""

    def __init__(self, records: Iterable[TrialRecord] = ()) -> None:
        self.numbers: dict[str, int] = {}
        self.ended: dict[str, TrialRecord] = {}
        for record in records:
            self.add(record)

    def start(self, arch_id: str, number: int) -> None:
        """A trial begins to train this architecture."""
        self.numbers.setdefault(arch_id, number)

    def add(self, record: TrialRecord) -> None:
        """A trial has ended."""
        if record.arch_id is None or record.state not in TRAINED:
            return
        self.start(record.arch_id, record.number)
        self.ended.setdefault(record.arch_id, record)

    def first(self, arch_id: str) -> int | None:
        """The number of the trial that has this architecture, or None."""
        return self.numbers.get(arch_id)

    def outcome(self, arch_id: str | None) -> TrialRecord | None:
        """The record of the trial that has trained this architecture; None while it has not ended."""
        return self.ended.get(arch_id) if arch_id is not None else None
