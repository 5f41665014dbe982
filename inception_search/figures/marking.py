"""How a comparison's marks are drawn: outlines, badges with a sign, pale boxes for what did not change.

The sign and the style of the line say the same as the colour: an added box has a bold outline and ``+``, a removed
one a dashed outline and ``−``, a changed one a plain bold outline and ``~``.
"""

from __future__ import annotations

from collections.abc import Iterable

from inception_search.figures.colours import DARK_MARKS, DARK_PAGE, LIGHT_PAGE, MARKS
from inception_search.figures.layout import Placement
from inception_search.figures.parts import Mark

BADGE = 8  # px, radius
_PALE = ' fill-opacity="0.4" stroke-opacity="0.5"'
_OUTLINES: dict[Mark, str] = {
    "added": ' stroke-width="3.25"',
    "removed": ' stroke-width="2.25" stroke-dasharray="7 4"',
    "changed": ' stroke-width="2.25"',
}
_SIGNS: dict[Mark, str] = {
    "added": "M{l} {y}H{r}M{x} {t}V{b}",
    "removed": "M{l} {y}H{r}",
    "changed": "M{l} {d}Q{q} {t} {x} {y}T{r} {u}",
}


def marks_of(drawing: Placement) -> list[Mark]:
    """The marks that a drawing has, which need colours."""
    seen = {placed.box.mark for placed in drawing.boxes} | {plus.mark for plus in drawing.pluses}
    seen |= {frame.mark for frame in drawing.frames} | {note.mark for note in drawing.texts}
    return [mark for mark in MARKS if mark in seen]


def mark_rules(marks: Iterable[Mark]) -> list[tuple[str, str]]:
    """The rules of a dark page: class and style."""
    rules = []
    for mark in marks:
        rules += [(f"{mark}-line", f"stroke:{DARK_MARKS[mark]}"), (f"{mark}-fill", f"fill:{DARK_MARKS[mark]}")]
    return [*rules, ("sign", f"stroke:{DARK_PAGE.paper}")] if rules else []


def pale(mark: Mark) -> str:
    """Attributes that make a box pale in which nothing differs."""
    return _PALE if mark == "same" else ""


def outline(mark: Mark, x: int, y: int, width: int, height: int, radius: int) -> str:
    """The outline over a marked part, and its badge on the left corner; nothing where nothing differs."""
    return ring(mark, x, y, width, height, radius) + badge(mark, x + 1, y + 1) if mark in MARKS else ""


def ring(mark: Mark, x: int, y: int, width: int, height: int, radius: int) -> str:
    """The outline alone."""
    return (
        f'<rect class="{mark}-line" x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}" fill="none" '
        f'stroke="{MARKS[mark]}"{_OUTLINES[mark]}/>'
    )


def badge(mark: Mark, x: int, y: int) -> str:
    """The sign in a disc whose centre is at ``x`` and ``y`` px."""
    places = {"x": x, "y": y, "l": x - 4, "r": x + 4, "t": y - 4, "b": y + 4, "q": x - 2, "d": y + 1, "u": y - 1}
    return (
        f'<circle class="{mark}-fill" cx="{x}" cy="{y}" r="{BADGE}" fill="{MARKS[mark]}"/>'
        f'<path class="sign" d="{_SIGNS[mark].format(**places)}" fill="none" stroke="{LIGHT_PAGE.paper}" '
        'stroke-width="2" stroke-linecap="round"/>'
    )
