"""The Pareto front of records, and the hypervolume that it dominates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from inception_search.analysis import pareto
from inception_search.store.objectives import losses, objective_values
from inception_search.store.query import merged
from inception_search.store.record import TrialRecord


def front(records: Iterable[TrialRecord], objectives: tuple[str, ...]) -> list[TrialRecord]:
    """The complete trials that no other beats in all objectives, best first in the first of them."""
    known = [record for record in merged(records) if record.state == "complete" and _has(record, objectives)]
    values = [losses(objectives, objective_values(record)) for record in known]
    return [known[index] for index in sorted(pareto.front(values), key=lambda index: values[index])]


def cost_front(records: Iterable[TrialRecord], cost: str = "macs") -> list[TrialRecord]:
    """The complete trials that no other beats in both score and ``cost``, cheapest first; of equal ones the first."""
    known = [r for r in records if r.state == "complete" and r.score is not None and cost in r.cost]
    distinct: dict[tuple[float, float], TrialRecord] = {}
    for record in sorted(known, key=lambda record: record.number):
        distinct.setdefault((record.cost[cost], -(record.score or 0.0)), record)
    points = list(distinct)
    return [distinct[point] for point in sorted(points[at] for at in pareto.front(points))]


def hypervolume(records: Iterable[TrialRecord], objectives: tuple[str, ...], reference: Mapping[str, float]) -> float:
    """How much of the space of objectives the front dominates, up to the point ``reference``, in their units."""
    values = [losses(objectives, objective_values(record)) for record in front(records, objectives)]
    return pareto.hypervolume(values, losses(objectives, reference))


def _has(record: TrialRecord, objectives: tuple[str, ...]) -> bool:
    return set(objectives) <= objective_values(record).keys()
