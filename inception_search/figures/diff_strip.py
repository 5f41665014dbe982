"""A strip of differences, one for each edit on the way from one network to another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from inception_search.compare.entry import Entry
from inception_search.compare.words import SIGNS, place, said
from inception_search.figures.diff import (
    Diff,
    Line,
    cost_change,
    diff_of,
    drawer_of,
    legend,
    noted,
    settings_of,
    stacked,
)
from inception_search.figures.diff_panels import pairs_of
from inception_search.figures.draw import network_part, placed
from inception_search.figures.figure import Figure, figure
from inception_search.figures.layout import Placement
from inception_search.figures.sheet import Panel, sheet
from inception_search.figures.steps import Edited
from inception_search.figures.svg import clean

SETTINGS = ("conv_defaults", "pool_defaults", "same_padding")
ROOM = 4  # lines of what is in no module


def draw_diffs(title: str, steps: Sequence[Edited]) -> Figure:
    """The first and the last network whole; between them, for each edit, the module before and after it, marked."""
    first, last = steps[0], steps[-1]
    panels = [Panel(clean(first.heading), stacked(legend(), placed(network_part(first.network))))]
    words = [clean(first.heading)]
    for before, after in pairwise(steps):
        diff = diff_of(before.network, after.network)
        a, b = diff.a, diff.b
        costs = (a.params or 0, a.macs or 0), (b.params or 0, b.macs or 0)
        heading = f"{clean(after.heading)}: {cost_change(*costs)}"
        panels.append(Panel(heading, _edit(diff, after.part)))
        words.append(f"{heading}\n{diff.text}")
    panels.append(Panel(f"{clean(last.network.name)}", placed(network_part(last.network))))
    drawing = sheet(clean(title), panels)
    return figure(title, drawing, about="; ".join(panel.heading for panel in panels), words="\n".join(words))


def _edit(diff: Diff, part: str | None) -> Placement:
    """The module that shows an edit, before and after it, and what is in no module in words."""
    if any(_is_more_or_less(entry) for entry in diff.entries):
        return drawer_of(diff).overview()
    pairs = pairs_of(diff)
    shown = next((pair for pair in pairs if part in pair.stages), pairs[0] if pairs else None)
    lines = [*settings_of(diff, SETTINGS), *_elsewhere(diff)]
    left = len(lines) - ROOM
    lines = [*lines[:ROOM], ("", f"and {left} more")] if left > 0 else lines
    if shown is None:
        return noted(lines or [("", "no difference")])
    more = sum(len(pair.counted) for pair in pairs) - len(shown.counted)
    lines += [("", f"and in {more} other place{'s' * (more != 1)}")] if more else []
    return stacked(noted(lines), drawer_of(diff).pair(shown))


def _is_more_or_less(entry: Entry) -> bool:
    """Whether a whole module was added or removed, or is there another number of times: the networks show that."""
    if entry.kind == "repeat":
        return any(change.field == "times" for change in entry.changes)
    return entry.kind in ("concat", "block") and entry.status in ("added", "removed") and not entry.around


def _elsewhere(diff: Diff) -> list[Line]:
    """What changed of the input, the auxiliary heads and the head."""
    return [
        (entry.status, f"{SIGNS[entry.status]} {place(entry)}: {said(entry)}".replace("-", "−", 1))
        for entry in diff.entries
        if entry.status != "same" and place(entry).partition(".")[0] in ("input", "aux", "head")
    ]
