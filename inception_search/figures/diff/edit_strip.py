"""Strips of figures or differences, one per edit between two networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from inception_search.compare.diff_entry import Entry
from inception_search.compare.words import SIGNS, entry_words, place
from inception_search.figures.diff.diff import (
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
from inception_search.figures.diff.panels import Drawer, pairs_of
from inception_search.figures.draw import network_part, panels_in, placed, stage_part
from inception_search.figures.figure import Figure, figure
from inception_search.figures.network.compose import Panel, sheet
from inception_search.figures.network.measure import Room
from inception_search.figures.network.place import Placement
from inception_search.figures.network.tree import Box, Part, column
from inception_search.figures.paint.svg import clean
from inception_search.figures.printing.size import Print, fitted
from inception_search.spec.network import Network

NO_EDIT = ("preprocess", "recipe")  # preprocessing and training are not edits of the architecture


class Edited(NamedTuple):
    """A network on the edit path: the heading of its figure, and the stage that shows the edit."""

    heading: str
    network: Network
    part: str | None = None


def name_of(steps: Sequence[Edited]) -> str:
    """The name of a strip without a title."""
    return f"From {steps[0].network.name} to {steps[-1].network.name}"


def _settings(before: Network, after: Network) -> list[str]:
    """Changes of an edit that are in no stage, one per line: layers after every convolution, the head ..."""
    entries = (entry for entry in diff_of(before, after).entries if entry.status != "same")
    signs = {"added": "+ ", "removed": "− "}
    return [clean(signs.get(e.status, "") + entry_words(e)) for e in entries if e.kind not in NO_EDIT]


def draw_steps(title: str, steps: Sequence[Edited], how: Print | None = None, less: str = "") -> Figure:
    """The first and the last network as a whole, and between them the module that results from each edit.

    ``how`` is the printed size; ``less`` is the advice in the note if the figure is too small or too tall.
    """
    panels = []
    for index, step in enumerate(steps):
        heading = clean(step.heading)
        if index in (0, len(steps) - 1):
            part = network_part(step.network)
        elif step.part is not None and step.part in step.network.stages:
            part = stage_part(step.network, step.part)
        else:
            part = column(Box(("whole network", *_settings(steps[index - 1].network, step.network)), "input", heading))
        panels.append((heading, part))
    how = how or Print()
    drawing = panels_in(clean(title), panels, "down", how)
    about = "; ".join(heading for heading, _ in panels)
    return figure(title or name_of(steps), drawing, panels, about=about, how=how, less=less)


SETTINGS = ("conv_defaults", "pool_defaults", "same_padding")
ROOM = 4  # lines about changes outside modules


def draw_diffs(title: str, steps: Sequence[Edited], how: Print | None = None, less: str = "") -> Figure:
    """The first and the last network as a whole, and between them the module before and after each edit, marked.

    ``how`` is the printed size; ``less`` is the advice in the note if the figure is too small or too tall.
    """
    first, last = clean(steps[0].heading), clean(steps[-1].network.name)
    ends = network_part(steps[0].network), network_part(steps[-1].network)
    how = how or Print()
    edits = [_Edit.of(before, after) for before, after in pairwise(steps)]

    def laid_out(change: Callable[[Part], Part], room: Room) -> Placement:
        start, goal = (placed(change(part), room=room) for part in ends)
        between = [Panel(edit.heading, _shown(edit, edit.drawer.within(change, room))) for edit in edits]
        return sheet(clean(title), [Panel(first, stacked(legend(), start)), *between, Panel(last, goal)], how.room)

    drawing = fitted(how, laid_out, turned=False)
    words = "\n".join([first, *(f"{edit.heading}\n{edit.diff.text}" for edit in edits)])
    about = "; ".join([first, *(edit.heading for edit in edits), last])
    return figure(title or name_of(steps), drawing, about=about, words=words, how=how, less=less)


class _Edit(NamedTuple):
    """One edit: its difference, the drawer for that, its heading, and the stage that shows it."""

    diff: Diff
    drawer: Drawer
    heading: str
    part: str | None

    @classmethod
    def of(cls, before: Edited, after: Edited) -> _Edit:
        diff = diff_of(before.network, after.network)
        a, b = diff.a, diff.b
        costs = (a.params or 0, a.macs or 0), (b.params or 0, b.macs or 0)
        return cls(diff, drawer_of(diff), f"{clean(after.heading)}: {cost_change(*costs)}", after.part)


def _shown(edit: _Edit, drawer: Drawer) -> Placement:
    """The module that shows an edit, before and after it, and changes outside modules in words."""
    diff, part = edit.diff, edit.part
    if any(_changes_count(entry) for entry in diff.entries):
        return drawer.overview()
    pairs = pairs_of(diff)
    shown = next((pair for pair in pairs if part in pair.stages), pairs[0] if pairs else None)
    lines = [*settings_of(diff, SETTINGS), *_elsewhere(diff)]
    left = len(lines) - ROOM
    lines = [*lines[:ROOM], ("", f"and {left} more")] if left > 0 else lines
    if shown is None:
        return noted(lines or [("", "no difference")])
    more = sum(len(pair.counted) for pair in pairs) - len(shown.counted)
    lines += [("", f"and in {more} other place{'s' * (more != 1)}")] if more else []
    return stacked(noted(lines), drawer.pair(shown))


def _changes_count(entry: Entry) -> bool:
    """Whether a whole module was added, removed or repeated a different number of times; the networks show that."""
    if entry.kind == "repeat":
        return any(change.field == "times" for change in entry.changes)
    return entry.kind in ("concat", "block") and entry.status in ("added", "removed") and not entry.around


def _elsewhere(diff: Diff) -> list[Line]:
    """Changes of the input, the auxiliary classifiers and the head."""
    return [
        (entry.status, f"{SIGNS[entry.status]} {place(entry)}: {entry_words(entry)}".replace("-", "−", 1))
        for entry in diff.entries
        if entry.status != "same" and place(entry).partition(".")[0] in ("input", "aux", "head")
    ]
