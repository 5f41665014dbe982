"""Palettes for printed figures, which replace the colours of the screen.

Drawings contain literal colours (see :mod:`colours`), each with one meaning, so a palette is a table from colour to
colour. Every palette but ``colour`` is for white paper and has no dark page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

from inception_search.figures.colours import LIGHT, LIGHT_PAGE, MARKS, Paint
from inception_search.figures.network.tree import Kind, Mark

PaletteName: TypeAlias = Literal["colour", "grey", "print", "colour-blind"]

_GREY: dict[Kind, str] = {
    "pointwise": "#fafafa",
    "factor": "#e2e2e2",
    "spatial": "#c6c6c6",
    "max": "#b2b2b2",
    "avg": "#eeeeee",
    "concat": "#d8d8d8",
    "norm": "#f4f4f4",
    "act": "#f7f7f7",
    "linear": "#cfcfcf",
    "block": "#e8e8e8",
}
_COLOUR_BLIND: dict[Kind, Paint] = {  # tints and shades of Okabe and Ito's colours
    "pointwise": Paint("#fff6c2", "#7d6a00"),
    "spatial": Paint("#9cc4ec", "#004a7a"),
    "factor": Paint("#bfe9dc", "#00664c"),
    "max": Paint("#e8a27f", "#8a3600"),
    "avg": Paint("#fbd79a", "#8a5a00"),
    "linear": Paint("#e3b9d3", "#84325f"),
    "block": Paint("#dcedf8", "#2a6289"),
}
_MARKS: dict[Mark, str] = {"added": "#0063a0", "removed": "#a83f00", "changed": "#7a2e5c"}


def _of_paints(paints: Mapping[Kind, Paint]) -> dict[str, str]:
    return {old: new for kind, paint in paints.items() for old, new in zip(LIGHT[kind], paint, strict=True)}


_BLACK = {LIGHT_PAGE.ink: "#000000", LIGHT_PAGE.faint: "#000000", LIGHT_PAGE.wire: "#000000"}
PALETTES: dict[PaletteName, dict[str, str]] = {
    "colour": {},
    "grey": _BLACK
    | {paint.stroke: "#333333" for paint in LIGHT.values()}
    | {LIGHT[kind].fill: grey for kind, grey in _GREY.items()}
    | dict.fromkeys(MARKS.values(), "#000000"),
    "print": dict(_BLACK),
    "colour-blind": _of_paints(_COLOUR_BLIND) | {MARKS[mark]: colour for mark, colour in _MARKS.items()},
}
_ATTRIBUTES = r'((?:fill|stroke|color|fillcolor|fontcolor)(?:="|:))(#[0-9a-f]{6})'  # SVG, DOT, Mermaid
_TEX = r"(\{HTML\}\{)([0-9A-F]{6})"


def recoloured(text: str, palette: PaletteName) -> str:
    """A figure as text (SVG, DOT, Mermaid or TikZ) in the colours of a palette; its words stay unchanged."""
    table = PALETTES[palette]
    if not table:
        return text
    text = re.sub(_ATTRIBUTES, lambda found: found[1] + table.get(found[2], found[2]), text)
    return re.sub(_TEX, lambda found: found[1] + table.get(f"#{found[2].lower()}", f"#{found[2]}")[1:].upper(), text)
