"""How the trials ended, and why those that failed did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from inception_search.figures.page import table
from inception_search.figures.report.material import Material
from inception_search.store.query import counts
from inception_search.store.record import TrialRecord

REASONS = 12  # distinct reasons of one state that are shown
NUMBERS = 12  # trial numbers given for each
MEANING = {
    "complete": "trained to its end",
    "pruned": "stopped early, behind others",
    "paused": "stopped at a rung; may go on",
    "infeasible": "outside the limits; never trained",
    "failed": "its training came to nothing",
    "duplicate": "an architecture that was there already",
}


def failures_section(material: Material) -> str:
    """Counts of every state, and the distinct reasons with the trials they are of."""
    states = [(state, str(number), MEANING[state]) for state, number in counts(material.records).items()]
    html = table("How the trials ended.", ("State", "Trials#", "Meaning"), states)
    rows = [row for state in MEANING for row in _reasons(material, state)]
    if not rows:
        return html + "<p>No trial has a reason to tell.</p>"
    columns = ("State", "Reason", "Count#", "Trials", "To look at the first$")
    return html + table("Reasons, as recorded.", columns, rows)


def _reasons(material: Material, state: str) -> list[tuple[str, ...]]:
    found: dict[str, list[TrialRecord]] = defaultdict(list)
    for record in material.records:
        if record.state == state and record.reason:
            found[record.reason].append(record)
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    rows: list[tuple[str, ...]] = [
        (state, reason, str(len(records)), _numbers(records), _look(material.run, records[0]))
        for reason, records in ordered[:REASONS]
    ]
    left = ordered[REASONS:]
    if left:
        rows.append((state, f"and {len(left)} more reasons", str(sum(len(r) for _, r in left)), "", "trials.jsonl"))
    return rows


def _numbers(records: Sequence[TrialRecord]) -> str:
    told = ", ".join(str(record.number) for record in records[:NUMBERS])
    return told if len(records) <= NUMBERS else f"{told}, …"


def _look(run: str, record: TrialRecord) -> str:
    if record.network is None:
        return f"trials.jsonl, number {record.number}"
    return f"inception-search draw {run}:{record.number}"
