"""Queries on the records of a study, which read nothing but the records."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from statistics import fmean
from typing import get_args

from inception_search.store.record import QUALITIES, State, TrialRecord


def best(records: Iterable[TrialRecord]) -> TrialRecord | None:
    """The first of the :func:`leaderboard`, or None if no trial is complete."""
    return min(_complete(records), key=_rank, default=None)


def leaderboard(records: Iterable[TrialRecord], top: int = 10) -> list[TrialRecord]:
    """The ``top`` complete trials: highest score (or lowest loss, if that is the objective), then fewest MACs first."""
    return sorted(_complete(records), key=_rank)[:top]


def quality_words(records: Iterable[TrialRecord]) -> str:
    """The measure that is shown of trials: ``accuracy``, ``balanced accuracy`` or ``macro F1``."""
    return QUALITIES[next((record.quality for record in records if record.objectives), "accuracy")]


def ranking_words(records: Iterable[TrialRecord]) -> str:
    """The measure that ranks trials: ``loss``, or that of :func:`quality_words`."""
    known = [record for record in records if record.objectives]
    return "loss" if known and known[0].ranked_by == "loss" else quality_words(known)


def baselines(records: Iterable[TrialRecord]) -> list[TrialRecord]:
    """The trials of canonical networks or modules in any state, by number."""
    return sorted((r for r in records if r.origin == "baseline"), key=lambda record: record.number)


def counts(records: Iterable[TrialRecord]) -> dict[State, int]:
    """The number of trials in each state, including states with 0 trials."""
    seen = Counter(record.state for record in records)
    return {state: seen[state] for state in get_args(State)}


def merged(records: Iterable[TrialRecord]) -> list[TrialRecord]:
    """The records without repeats; a trial repeated with other seeds gets the mean value and objectives."""
    known = list(records)
    again = defaultdict(list)
    for record in known:
        if record.repeat_of is not None and record.state == "complete":
            again[record.repeat_of].append(record)
    return [_averaged(record, again[record.number]) for record in known if record.repeat_of is None]


def _averaged(record: TrialRecord, again: list[TrialRecord]) -> TrialRecord:
    if not again or record.value is None:
        return record
    every = [record, *again]
    values = [other.value for other in every if other.value is not None]
    names = [name for name in record.objectives if all(name in other.objectives for other in every)]
    objectives = {name: fmean(other.objectives[name] for other in every) for name in names}
    return record.model_copy(update={"value": fmean(values), "objectives": objectives})


def _complete(records: Iterable[TrialRecord]) -> list[TrialRecord]:
    return [record for record in merged(records) if record.state == "complete"]


def _rank(record: TrialRecord) -> tuple[float, float, int]:
    """Sorts better trials first: by the first objective that is a quality or the loss, else by accuracy."""
    score = -math.inf if record.score is None else record.score
    loss = record.objectives["loss"] if record.ranked_by == "loss" else -score
    return (loss, record.cost.get("macs", math.inf), record.number)
