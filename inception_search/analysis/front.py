"""The Pareto front of records, and the hypervolume that it dominates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from inception_search.analysis import pareto
from inception_search.store.objectives import losses, told
from inception_search.store.query import merged
from inception_search.store.record import TrialRecord


def front(records: Iterable[TrialRecord], objectives: tuple[str, ...]) -> list[TrialRecord]:
    """The complete trials that no other beats in all objectives, best first in the first of them."""
    known = [record for record in merged(records) if record.state == "complete" and _has(record, objectives)]
    values = [losses(objectives, told(record)) for record in known]
    return [known[index] for index in sorted(pareto.front(values), key=lambda index: values[index])]


def hypervolume(records: Iterable[TrialRecord], objectives: tuple[str, ...], reference: Mapping[str, float]) -> float:
    """How much of the space of objectives the front dominates, up to the point ``reference``, in their units."""
    values = [losses(objectives, told(record)) for record in front(records, objectives)]
    return pareto.hypervolume(values, losses(objectives, reference))


def _has(record: TrialRecord, objectives: tuple[str, ...]) -> bool:
    return set(objectives) <= told(record).keys()
