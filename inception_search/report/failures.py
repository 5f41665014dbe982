"""How the trials ended, and why some failed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from inception_search.numbers import counted
from inception_search.report.blocks import Block, Prose, Table
from inception_search.report.material import Material
from inception_search.store.query import counts
from inception_search.store.record import TrialRecord

REASONS = 12  # distinct reasons shown per state
NUMBERS = 12  # trial numbers shown per reason
# A separate number: not the 3 in 3x3, in a name or in a path.
_NUMBER = re.compile(r"(?<![\w.:/-])[0-9][0-9,]*(?:\.[0-9]+)?(?![\w:/-]|[.,][\w])")
MEANING = {
    "complete": "trained to the last epoch",
    "pruned": "stopped early by the pruner",
    "paused": "stopped at a rung; it may continue",
    "infeasible": "does not fit the images, or is outside the budget; not trained",
    "failed": "training ended without a result",
    "duplicate": "an architecture that the study already had; not trained",
}


def failures_section(material: Material) -> list[Block]:
    """The count of every state, and the distinct reasons with their trials."""
    states = [(state, str(number), MEANING[state]) for state, number in counts(material.records).items()]
    ends = Table("Number of trials in each state.", ("State", "Trials#", "Meaning"), states)
    rows = [row for state in MEANING for row in _reasons(material, state)]
    if not rows:
        return [ends, Prose("No trial has a recorded reason.")]
    columns = ("State", "Reason", "Count#", "Trials", "Command to see the first$")
    return [ends, Table("Recorded reasons; reasons that differ only in numbers are one row.", columns, rows)]


def _reasons(material: Material, state: str) -> list[tuple[str, ...]]:
    found: dict[str, list[TrialRecord]] = defaultdict(list)
    for record in material.records:
        if record.state == state and record.reason:
            found[_NUMBER.sub("#", record.reason)].append(record)
    ordered = sorted(found.values(), key=lambda records: (-len(records), records[0].reason or ""))
    rows: list[tuple[str, ...]] = [
        (state, _common(records), str(len(records)), _numbers(records), _look(material.run, records[0]))
        for records in ordered[:REASONS]
    ]
    left = ordered[REASONS:]
    if left:
        rows.append((state, f"and {counted(len(left), 'more reason')}", str(sum(map(len, left))), "", "trials.jsonl"))
    return rows


def _common(records: Sequence[TrialRecord]) -> str:
    """The reason that the records share; numbers that differ become ranges."""
    reasons = [record.reason or "" for record in records]
    columns = zip(*map(_NUMBER.findall, reasons), strict=True)
    spans = iter([_span(column) for column in columns])
    return _NUMBER.sub(lambda _: next(spans), reasons[0])


def _span(values: Sequence[str]) -> str:
    low, high = (end(values, key=lambda words: float(words.replace(",", ""))) for end in (min, max))
    return low if low == high else f"{low} to {high}"


def _numbers(records: Sequence[TrialRecord]) -> str:
    listed = ", ".join(str(record.number) for record in records[:NUMBERS])
    return listed if len(records) <= NUMBERS else f"{listed}, …"


def _look(run: str, record: TrialRecord) -> str:
    if record.network is None:
        return f"trials.jsonl, number {record.number}"
    return f"inception-search draw {run}:{record.number}"
