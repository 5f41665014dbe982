"""A strip of pictures, one for each edit on the way from one network to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from inception_search.compare.words import said
from inception_search.figures.diff.diff import diff_of
from inception_search.figures.draw import network_part, panels_in, stage_part
from inception_search.figures.figure import Figure, figure
from inception_search.figures.network.tree import Box, column
from inception_search.figures.paint.svg import clean
from inception_search.figures.printing.size import Print
from inception_search.spec.network import Network

NO_EDIT = ("preprocess", "recipe")  # how images are prepared and a network trained: no edit of an architecture


class Edited(NamedTuple):
    """A network on the way: the words over its picture, and the stage that shows what was edited."""

    heading: str
    network: Network
    part: str | None = None


def name_of(steps: Sequence[Edited]) -> str:
    """What a strip is called that has no title."""
    return f"From {steps[0].network.name} to {steps[-1].network.name}"


def _settings(before: Network, after: Network) -> list[str]:
    """What an edit changed that is in no stage, a line each: what follows every convolution, the head ..."""
    entries = (entry for entry in diff_of(before, after).entries if entry.status != "same")
    signs = {"added": "+ ", "removed": "− "}
    return [clean(signs.get(e.status, "") + said(e)) for e in entries if e.kind not in NO_EDIT]


def draw_steps(title: str, steps: Sequence[Edited], how: Print | None = None, less: str = "") -> Figure:
    """The first and the last network whole, between them the module that each edit leads to.

    ``how`` is its size on paper, ``less`` what a note advises where it is too small or too tall.
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
