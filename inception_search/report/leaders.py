"""The leaderboard."""

from __future__ import annotations

from inception_search.figures.labels import count
from inception_search.figures.page import table
from inception_search.figures.table import leaderboard_rows, points
from inception_search.report.material import Material
from inception_search.store.display import percent
from inception_search.store.query import quality_words

ROWS = 20  # places shown; baselines below them are shown, too
COLUMNS = (
    *("Rank#", "Name", "Origin", "Accuracy#", "Against best baseline#"),
    *("MACs#", "Parameters#", "Architecture$"),
)
CAPTION = (
    "Trials trained to their last epoch, by validation {}; differences in percentage points; baselines are marked."
)


def leaders_section(material: Material) -> str:
    """The best trials, and every baseline with its rank."""
    rows = leaderboard_rows(material.records, ROWS)
    if not rows:
        return "<p>No trial has been trained to its end.</p>"
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
    return table(CAPTION.format(words), columns, cells, marked=[row.baseline for row in rows])
