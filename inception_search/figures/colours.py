"""The colours of the figures, for a light and a dark page.

The kinds differ in lightness, so that they can be told apart in a black-and-white print: pointwise convolutions are the
lightest, spatial ones and max pooling the darkest. Text has a contrast of at least 7 on every fill, outlines at least 3
on the page.
"""

from __future__ import annotations

from typing import NamedTuple

from inception_search.figures.network.tree import Kind, Mark


class Paint(NamedTuple):
    """Fill and outline of a box."""

    fill: str
    stroke: str


class Page(NamedTuple):
    """The colours other than those of boxes."""

    paper: str
    ink: str  # labels
    faint: str  # notes, the other lines of a box
    wire: str
    frame: str


LIGHT_PAGE = Page("#ffffff", "#14181d", "#3b444e", "#4a545f", "#8a949e")
DARK_PAGE = Page("#12161b", "#f3f5f7", "#c9d1d9", "#aab4be", "#6f7a86")

LIGHT: dict[Kind, Paint] = {
    "input": Paint("#ffffff", "#5c6670"),
    "pointwise": Paint("#fff3c4", "#94700a"),
    "spatial": Paint("#b3d1f2", "#1f5fa6"),
    "factor": Paint("#c9ecd6", "#1d7446"),
    "max": Paint("#f3bcb6", "#a8382c"),
    "avg": Paint("#fbd9b8", "#a9560a"),
    "concat": Paint("#dde2e8", "#55606c"),
    "add": Paint("#ffffff", "#39424c"),
    "norm": Paint("#eceff1", "#6a747e"),
    "act": Paint("#f7f8f9", "#6a747e"),
    "linear": Paint("#dccff2", "#6440a8"),
    "block": Paint("#d9e7ef", "#3a637d"),
}
DARK: dict[Kind, Paint] = {
    "input": Paint("#12161b", "#aab4be"),
    "pointwise": Paint("#4a3e10", "#d6b64a"),
    "spatial": Paint("#17406e", "#7db4ee"),
    "factor": Paint("#14492c", "#6fcf97"),
    "max": Paint("#6b231b", "#ef9a90"),
    "avg": Paint("#5f3610", "#f0ad6b"),
    "concat": Paint("#333c46", "#a3afbb"),
    "add": Paint("#12161b", "#d5dce3"),
    "norm": Paint("#262d35", "#98a3ae"),
    "act": Paint("#1d232a", "#98a3ae"),
    "linear": Paint("#3d2a66", "#bfa3f2"),
    "block": Paint("#203a4a", "#86b6d1"),
}
# Outlines and badges of a comparison, on a light and a dark page. The badge also has a sign.
MARKS: dict[Mark, str] = {"added": "#15752f", "removed": "#c0242b", "changed": "#b04a00"}
DARK_MARKS: dict[Mark, str] = {"added": "#56d364", "removed": "#ff7b72", "changed": "#f0a35a"}

KIND_NAMES: dict[Kind, str] = {
    "input": "input",
    "pointwise": "1×1 convolution",
    "spatial": "spatial convolution",
    "factor": "factorised convolution",
    "max": "max pooling",
    "avg": "average pooling",
    "concat": "concatenation",
    "add": "sum",
    "norm": "normalisation, dropout",
    "act": "activation",
    "linear": "linear",
    "block": "folded block",
}
