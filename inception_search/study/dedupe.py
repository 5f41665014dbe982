"""Which architectures have been trained, or are being trained."""

from __future__ import annotations

from collections.abc import Iterable

from inception_search.store.record import TrialRecord

TRAINED = ("complete", "pruned", "failed")


class Seen:
    """Architectures by id: the trial that trained each, and its value once there is one."""

    def __init__(self, records: Iterable[TrialRecord] = ()) -> None:
        self.numbers: dict[str, int] = {}
        self.values: dict[str, float] = {}
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
        if record.state == "complete" and record.value is not None:
            self.values[record.arch_id] = record.value

    def first(self, arch_id: str) -> int | None:
        """The number of the trial that has this architecture, or None."""
        return self.numbers.get(arch_id)
