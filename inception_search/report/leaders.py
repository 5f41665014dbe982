"""The leaderboard."""

from __future__ import annotations

from inception_search.analysis.leaderboard import leaderboard_rows, points
from inception_search.figures.labels import count
from inception_search.report.blocks import Block, Prose, Table
from inception_search.report.material import Material
from inception_search.store.query import quality_words
from inception_search.store.record import percent

AGAINST = "Against best baseline#"
ROWS = 20  # places shown; baselines below them are shown, too
COLUMNS = ("Rank#", "Name", "Origin", "Accuracy#", AGAINST, "MACs#", "Parameters#", "Architecture$")
CAPTION = "Trials trained to their last epoch, by validation {}"
COMPARED = "differences in percentage points; baselines are marked"


def leaders_section(material: Material) -> list[Block]:
    """The best trials, and every baseline with its rank."""
    rows = leaderboard_rows(material.records, ROWS)
    if not rows:
        return [Prose("No trial has been trained to its end.")]
    cells = [
        (
            str(row.rank),
            row.name,
            "baseline" if row.baseline else "sampled",
            percent(row.accuracy),
            points(row.versus_baseline),
            "" if row.macs is None else count(row.macs),
            "" if row.params is None else count(row.params),
            row.arch_id or "",
        )
        for row in rows
    ]
    words = quality_words(material.records)
    columns = [f"{words[0].upper()}{words[1:]}#" if name == "Accuracy#" else name for name in COLUMNS]
    caption, marked = CAPTION.format(words), [row.baseline for row in rows]
    if any(marked):
        return [Table(f"{caption}; {COMPARED}.", columns, cells, marked)]
    kept = [at for at, name in enumerate(COLUMNS) if name != AGAINST]  # there is nothing to compare with
    return [Table(f"{caption}.", [columns[at] for at in kept], [tuple(row[at] for at in kept) for row in cells])]
