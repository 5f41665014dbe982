"""The leaderboard, and the table of all trials."""

from __future__ import annotations

from collections.abc import Sequence

from inception_search.analysis.leaderboard import leaderboard_rows, points
from inception_search.figures.labels import count, number
from inception_search.numbers import counted
from inception_search.report.blocks import Block, Folded, Prose, Table
from inception_search.report.material import Material
from inception_search.store.query import counts, quality_words, ranking_words
from inception_search.store.record import TrialRecord, percent

AGAINST = "Compared with best baseline#"
TIMED = "Latency, ms#"
PLACES = 20  # rows of the leaderboard, besides lower baselines
COLUMNS = ("Rank#", "Name", "Origin", "Accuracy#", AGAINST, "MACs#", "Parameters#", TIMED, "Architecture$")
CAPTION = "Trials that were trained to the last epoch, by validation {}"
COMPARED = "differences in percentage points; baselines are marked"


def leaders_section(material: Material) -> list[Block]:
    """The best trials, and every baseline with its rank."""
    rows = leaderboard_rows(material.records, PLACES)
    if not rows:
        return [Prose("No trial has been trained to the last epoch.")]
    cells = [
        (
            str(row.rank),
            row.name,
            "baseline" if row.baseline else "sampled",
            percent(row.accuracy),
            points(row.versus_baseline),
            "" if row.macs is None else count(row.macs),
            "" if row.params is None else count(row.params),
            "" if row.latency is None else f"{row.latency:.3g}",
            row.arch_id or "",
        )
        for row in rows
    ]
    words = quality_words(material.records)
    columns = [f"{words[0].upper()}{words[1:]}#" if name == "Accuracy#" else name for name in COLUMNS]
    caption, marked = CAPTION.format(ranking_words(material.records)), [row.baseline for row in rows]
    left_out = {
        *(() if any(marked) else (AGAINST,)),  # there is no baseline to compare with
        *(() if any(row.latency is not None for row in rows) else (TIMED,)),
    }
    kept = [at for at, name in enumerate(COLUMNS) if name not in left_out]
    caption += f"; {COMPARED}." if any(marked) else "."
    kept_cells = [tuple(row[at] for at in kept) for row in cells]
    return [Table(caption, [columns[at] for at in kept], kept_cells, marked if any(marked) else ())]


ROWS = 500  # rows per table; the first table is open
PARTS = 100  # tables
IN_COLUMNS = ("macs", "params", "seconds")  # objectives that always have a column


def trials_section(material: Material) -> list[Block]:
    """The tables of all trials: state, origin, accuracy, other objectives, costs, seconds and architecture."""
    if not material.records:
        return [Prose("The study has no trials yet.")]
    ranked_by = next((record.quality for record in material.records if record.objectives), "accuracy")
    others = [name for name in material.option("objectives") or () if name not in (*IN_COLUMNS, ranked_by)]
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
    caption = f"All trials; {words} is measured on the validation images, for pruned trials when they were stopped."
    parts = [material.records[start : start + ROWS] for start in range(0, len(material.records), ROWS)]
    blocks: list[Block] = [_listed(parts[0], caption, columns, others)]
    blocks += [Folded(_ended(part), _listed(part, f"{_span(part)}.", columns, others)) for part in parts[1:PARTS]]
    if left := sum(map(len, parts[PARTS:])):
        blocks.append(Prose(f"{counted(left, 'more trial')} {'is' if left == 1 else 'are'} in trials.jsonl."))
    return blocks


def _listed(records: Sequence[TrialRecord], caption: str, columns: Sequence[str], others: Sequence[str]) -> Table:
    """These trials as a table."""
    rows = [_row(record, others) for record in records]
    return Table(caption, columns, rows, [record.origin == "baseline" for record in records], dense=True)


def _ended(records: Sequence[TrialRecord]) -> str:
    """The number of trials in each state, and the best score."""
    ended = ", ".join(f"{number} {state}" for state, number in counts(records).items() if number)
    scores = [record.score for record in records if record.score is not None]
    best = f"; the best {percent(max(scores))}" if scores else ""
    return f"{_span(records)}: {ended}{best}"


def _span(records: Sequence[TrialRecord]) -> str:
    return f"Trials {records[0].number} to {records[-1].number}"


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
