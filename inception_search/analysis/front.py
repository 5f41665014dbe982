"""The Pareto front of records and its hypervolume."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from inception_search.analysis import pareto
from inception_search.store.objectives import losses, objective_values
from inception_search.store.query import merged
from inception_search.store.record import TrialRecord


def front(records: Iterable[TrialRecord], objectives: tuple[str, ...]) -> list[TrialRecord]:
    """The complete trials that no other trial dominates, sorted by the first objective."""
    known = [record for record in merged(records) if record.state == "complete" and _has(record, objectives)]
    values = [losses(objectives, objective_values(record)) for record in known]
    return [known[index] for index in sorted(pareto.front(values), key=lambda index: values[index])]


def cost_front(records: Iterable[TrialRecord], cost: str = "macs") -> list[TrialRecord]:
    """The complete trials not dominated in score and ``cost``, cheapest first; the first of equal ones."""
    known = [r for r in records if r.state == "complete" and r.score is not None and cost in r.cost]
    distinct: dict[tuple[float, float], TrialRecord] = {}
    for record in sorted(known, key=lambda record: record.number):
        distinct.setdefault((record.cost[cost], -(record.score or 0.0)), record)
    points = list(distinct)
    return [distinct[point] for point in sorted(points[at] for at in pareto.front(points))]


def hypervolume(records: Iterable[TrialRecord], objectives: tuple[str, ...], reference: Mapping[str, float]) -> float:
    """The hypervolume of the front up to the point ``reference``, in the units of the objectives."""
    values = [losses(objectives, objective_values(record)) for record in front(records, objectives)]
    return pareto.hypervolume(values, losses(objectives, reference))


def _has(record: TrialRecord, objectives: tuple[str, ...]) -> bool:
    return set(objectives) <= objective_values(record).keys()
