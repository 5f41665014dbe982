"""How a comparison's marks are drawn: outlines, badges with a sign, pale boxes for what did not change.

The sign and the style of the line say the same as the colour: an added box has a bold outline and ``+``, a removed
one a dashed outline and ``−``, a changed one a plain bold outline and ``~``.
"""

from __future__ import annotations

from collections.abc import Iterable

from inception_search.figures.colours import DARK_MARKS, DARK_PAGE, LIGHT_PAGE, MARKS
from inception_search.figures.network.place import Placement
from inception_search.figures.network.tree import Mark

BADGE = 8  # px, radius
SIGN = 2  # px, the line of a sign
_PALE = ' fill-opacity="0.4" stroke-opacity="0.5"'
LINES: dict[Mark, tuple[float, tuple[int, int] | None]] = {  # width and dashes of an outline, in px
    "added": (3.25, None),
    "removed": (2.25, (7, 4)),
    "changed": (2.25, None),
}
_SIGNS: dict[Mark, str] = {
    "added": "M{l} {y}L{r} {y}M{x} {t}L{x} {b}",
    "removed": "M{l} {y}L{r} {y}",
    "changed": "M{l} {d}Q{q} {t} {x} {y}Q{p} {b} {r} {u}",
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
    width_, dashes = LINES[mark]
    style = f' stroke-width="{width_}"' + (f' stroke-dasharray="{dashes[0]} {dashes[1]}"' if dashes else "")
    return (
        f'<rect class="{mark}-line" x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}" fill="none" '
        f'stroke="{MARKS[mark]}"{style}/>'
    )


def badge(mark: Mark, x: int, y: int) -> str:
    """The sign in a disc whose centre is at ``x`` and ``y`` px."""
    return (
        f'<circle class="{mark}-fill" cx="{x}" cy="{y}" r="{BADGE}" fill="{MARKS[mark]}"/>'
        f'<path class="sign" d="{sign(mark, x, y)}" fill="none" stroke="{LIGHT_PAGE.paper}" '
        f'stroke-width="{SIGN}" stroke-linecap="round"/>'
    )


def sign(mark: Mark, x: int, y: int) -> str:
    """The path data (M, L, Q) of a mark's sign around a point in px."""
    across = {"x": x, "l": x - 4, "r": x + 4, "q": x - 2, "p": x + 2}
    return _SIGNS[mark].format(**across, y=y, t=y - 4, b=y + 4, d=y + 1, u=y - 1)
