"""A strip of pictures, one for each edit on the way from one network to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from inception_search.compare.words import said
from inception_search.figures.diff import diff_of
from inception_search.figures.draw import network_part, placed, stage_part
from inception_search.figures.figure import Figure, figure
from inception_search.figures.parts import Box, column
from inception_search.figures.sheet import Panel, sheet
from inception_search.figures.svg import clean
from inception_search.spec.network import Network

NO_EDIT = ("preprocess", "recipe")  # how images are prepared and a network trained: no edit of an architecture


class Edited(NamedTuple):
    """A network on the way: the words over its picture, and the stage that shows what was edited."""

    heading: str
    network: Network
    part: str | None = None


def _settings(before: Network, after: Network) -> list[str]:
    """What an edit changed that is in no stage, a line each: what follows every convolution, the head ..."""
    entries = (entry for entry in diff_of(before, after).entries if entry.status != "same")
    signs = {"added": "+ ", "removed": "− "}
    return [clean(signs.get(e.status, "") + said(e)) for e in entries if e.kind not in NO_EDIT]


def draw_steps(title: str, steps: Sequence[Edited]) -> Figure:
    """The first and the last network whole, between them the module that each edit leads to."""
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
    drawing = sheet(clean(title), [Panel(heading, placed(part)) for heading, part in panels])
    return figure(title, drawing, panels, about="; ".join(heading for heading, _ in panels))
