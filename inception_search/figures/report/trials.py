"""All trials, one a row."""

from __future__ import annotations

from collections.abc import Sequence

from inception_search.figures.labels import count, number
from inception_search.figures.page import table
from inception_search.figures.report.material import Material
from inception_search.store.display import percent
from inception_search.store.query import quality_words
from inception_search.store.record import TrialRecord

ROWS = 500
TOLD = ("macs", "params", "seconds")  # objectives that have a column anyway


def trials_section(material: Material) -> str:
    """Number, state, origin, accuracy, other objectives, costs, seconds and architecture."""
    if not material.records:
        return "<p>The study has no trials yet.</p>"
    ranked_by = next((record.quality for record in material.records if record.objectives), "accuracy")
    others = [name for name in material.option("objectives") or () if name not in (*TOLD, ranked_by)]
    shown = material.records[:ROWS]
    titles = [f"{name.replace('_', ' ')}#" for name in others]
    words = quality_words(material.records)
    columns = (
        "Trial#",
        "State",
        "Origin",
        f"{words[0].upper()}{words[1:]}#",
        *titles,
        "MACs#",
        "Parameters#",
        "Seconds#",
        "Architecture$",
    )
    rows = [_row(record, others) for record in shown]
    caption = f"Every trial; {words} is on the validation images, that of a pruned trial at the epoch it was stopped."
    html = table(caption, columns, rows, marked=[record.origin == "baseline" for record in shown], dense=True)
    left = len(material.records) - len(shown)
    return html + (f"<p>{left} more trials are in trials.jsonl.</p>" if left else "")


def _row(record: TrialRecord, others: Sequence[str]) -> tuple[str, ...]:
    return (
        str(record.number),
        record.state,
        record.label or record.origin.replace("_", " "),
        "" if record.reached is None else percent(record.reached),
        *(number(record.objectives[name]) if name in record.objectives else "" for name in others),
        *(count(record.cost[name]) if name in record.cost else "" for name in ("macs", "params")),
        f"{record.seconds:.1f}",
        record.arch_id or "",
    )
