"""The leaderboard as plain rows, shared by the report and the command line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from inception_search.store.query import baselines, leaderboard
from inception_search.store.record import TrialRecord, trial_name


@dataclass(frozen=True, slots=True)
class LeaderboardRow:
    """One trained architecture.

    ``accuracy`` is 0..1; ``versus_baseline`` is the difference to the best baseline; ``latency`` is in milliseconds.
    """

    rank: int
    name: str
    number: int
    baseline: bool
    accuracy: float
    macs: int | None
    params: int | None
    versus_baseline: float | None
    arch_id: str | None
    latency: float | None = None


def leaderboard_rows(records: Iterable[TrialRecord], top: int = 10) -> list[LeaderboardRow]:
    """The ``top`` best complete trials, and every complete baseline below them, with their ranks."""
    known = list(records)
    reference = best_baseline(known)
    ranked = leaderboard(known, len(known))
    return [
        _row(rank, record, reference)
        for rank, record in enumerate(ranked, start=1)
        if rank <= top or record.origin == "baseline"
    ]


def best_baseline(records: Iterable[TrialRecord]) -> TrialRecord | None:
    """The best complete baseline, or None."""
    return next(iter(leaderboard(baselines(records), 1)), None)


def points(difference: float | None) -> str:
    """A difference of accuracies in percentage points: ``+1.25``, ``−0.40``, ``0.00``; empty for None."""
    if difference is None:
        return ""
    shown = f"{abs(100 * difference):.2f}"
    sign = "" if float(shown) == 0 else "+" if difference > 0 else "−"
    return sign + shown


def _row(rank: int, record: TrialRecord, reference: TrialRecord | None) -> LeaderboardRow:
    accuracy = record.score if record.score is not None else 0.0
    known = reference is not None and reference.score is not None
    return LeaderboardRow(
        rank=rank,
        name=trial_name(record),
        number=record.number,
        baseline=record.origin == "baseline",
        accuracy=accuracy,
        macs=record.cost.get("macs"),
        params=record.cost.get("params"),
        versus_baseline=accuracy - (reference.score or 0.0) if reference and known else None,
        arch_id=record.arch_id,
        latency=record.latency,
    )
