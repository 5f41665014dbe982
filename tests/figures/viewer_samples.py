"""Pages for the tests of the viewer, a browser to open them in, and the drawing tree with its groups decided."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace

from inception_search.figures.network.tree import Column, Fork, Group, Part, Residual, Tap, column
from inception_search.spec.documents.parse import parse_network
from inception_search.spec.network import Network

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def browser_path() -> str | None:
    """A Chromium of this machine."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def decided(part: Part, opened: Callable[[str], bool]) -> Part:
    """``part`` with every group that can be folded as ``opened`` says of its path: open, or folded to its box."""
    if isinstance(part, Column):
        return column(*(decided(inner, opened) for inner in part.parts))
    if isinstance(part, Fork):
        return replace(part, branches=tuple(decided(inner, opened) for inner in part.branches))
    if isinstance(part, Residual):
        return replace(part, body=decided(part.body, opened))
    if isinstance(part, Tap):
        return replace(part, side=decided(part.side, opened))
    if isinstance(part, Group):
        if part.folded and not opened(part.folded.path):
            return part.folded
        return replace(part, body=decided(part.body, opened))
    return part


def large_network(stages: int = 100) -> Network:
    """A network with eleven boxes in every stage."""
    module = "{concat: [1x1 8, [1x1 8, 3x3 8], [1x1 8, 3x3 8, 3x3 8], [max 3x3, 1x1 8], 5x5 8]}"
    lines = "".join(f"  stage_{i}: {module}\n" for i in range(stages))
    return parse_network(
        f"schema: inception-search/network\nversion: 1\nname: large\ninput: 3x16x16\nstages:\n{lines}"
        "head: {pool: avg, classes: 10}\n"
    )
