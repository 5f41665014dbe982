"""Which architectures have been trained, or are being trained."""

from __future__ import annotations

from collections.abc import Iterable

from inception_search.errors import InceptionSearchError
from inception_search.spec.document import network_from_data
from inception_search.spec.identity import arch_id, may_have_another_id
from inception_search.store.record import TRAINED, TrialRecord


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
        if record.state not in TRAINED or (known := present_id(record)) is None:
            return
        self.start(known, record.number)
        before = self.ended.get(known)
        if before is None or before.number == record.number:
            self.ended[known] = record

    def first(self, arch_id: str | None) -> int | None:
        """The number of the trial that has this architecture, or None."""
        return None if arch_id is None else self.numbers.get(arch_id)

    def outcome(self, arch_id: str | None) -> TrialRecord | None:
        """The record of the trial that has trained this architecture; None while it has not ended."""
        return self.ended.get(arch_id) if arch_id is not None else None


def present_id(record: TrialRecord) -> str | None:
    """The id that the record's network has today; an earlier version of the package may have recorded another."""
    if record.arch_id is None or not record.arch_id.startswith("a1-") or not may_have_another_id(record.network):
        return record.arch_id
    try:
        return arch_id(network_from_data(record.network))
    except InceptionSearchError:
        return record.arch_id
