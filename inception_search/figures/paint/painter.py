"""Painting of a placed drawing: the order and look of its shapes, for every :class:`Painter`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Literal, NamedTuple, Protocol

from inception_search.figures.colours import LIGHT, LIGHT_PAGE, MARKS
from inception_search.figures.network.measure import FIRST_LINE, NEXT_LINE, PLUS, SMALL, TEXT
from inception_search.figures.network.place import Frame, PlacedBox, Placement, Plus, Wire
from inception_search.figures.network.tree import Mark

RADIUS, FRAME_RADIUS = 5, 8  # px, corners of boxes and frames
WIRE = 1.5  # px, the width of a wire
PALE = 0.4, 0.5  # opacity of the fill and the outline of an unchanged box
BADGE = 8  # px, radius
SIGN = 2  # px, line width of a sign
ASCENT = {TEXT: 12, SMALL: 11}  # px from the top of a line to its baseline
ARM = PLUS // 2 - 5  # px, half the length of a plus
INKS: dict[str, str] = {
    "ink": LIGHT_PAGE.ink,
    "faint": LIGHT_PAGE.faint,
    **dict(MARKS.items()),
}  # colours of text, by role
# An added box has a bold outline and +, a removed one a dashed outline and −, a changed one a plain bold outline and
# ~, so that the marks can be read without colours.
_LINES: dict[Mark, tuple[float, tuple[int, int] | None]] = {  # width and dashes of an outline, in px
    "added": (3.25, None),
    "removed": (2.25, (7, 4)),
    "changed": (2.25, None),
}
_SIGNS: dict[Mark, str] = {
    "added": "M{l} {y}L{r} {y}M{x} {t}L{x} {b}",
    "removed": "M{l} {y}L{r} {y}",
    "changed": "M{l} {d}Q{q} {t} {x} {y}Q{p} {b} {r} {u}",
}
Side = Literal["start", "middle"]


class Area(NamedTuple):
    """Left, top, width and height in px."""

    x: int
    y: int
    width: int
    height: int


class Look(NamedTuple):
    """The colours and the outline of a shape; ``role`` is a kind of box, a mark or ``frame``."""

    role: str
    fill: str  # "none": transparent
    stroke: str
    width: float  # of the outline, in px
    dashes: tuple[int, int] | None = None
    pale: bool = False


class Painter(Protocol):
    """Draws shapes in one format, each above the earlier ones; positions are px from the left and the top."""

    def wires(self, wires: Sequence[Wire]) -> None:
        """Lines with rounded corners and arrow heads."""

    def rectangle(self, area: Area, radius: int, look: Look) -> None:
        """A rectangle with round corners."""

    def sum(self, x: int, y: int, look: Look) -> None:
        """A circle with a plus in it."""

    def badge(self, mark: Mark, x: int, y: int) -> None:
        """The sign of a mark in a disc."""

    def text(self, words: str, x: int, y: int, size: int, role: str, side: Side, *, bold: bool = False) -> None:
        """Draw words on the baseline ``y``, starting at or centred on ``x``, in the colour of a :data:`INKS` role."""

    def group(self, tip: str) -> AbstractContextManager[None]:
        """Group the shapes drawn inside; the group has a tip."""


def paint(drawing: Placement, painter: Painter) -> None:
    """Draw every shape of ``drawing``, from the lowest to the topmost."""
    for frame in drawing.frames:
        _frame(frame, painter)
    painter.wires(drawing.wires)
    for placed in drawing.boxes:
        _box(placed, painter)
    for plus in drawing.pluses:
        _plus(plus, painter)
    for note in drawing.texts:
        marked = note.mark in MARKS
        role = note.mark if marked else "faint"
        painter.text(note.text, note.x, note.y + 4, SMALL, role, "start", bold=marked)
    for heading in drawing.headings:
        painter.text(heading.text, heading.x, heading.y, heading.size, "ink", "middle", bold=True)


def roles(drawing: Placement) -> tuple[set[str], list[Mark]]:
    """The kinds of boxes and the marks in a drawing, which need a colour."""
    seen = {placed.box.mark for placed in drawing.boxes} | {plus.mark for plus in drawing.pluses}
    seen |= {frame.mark for frame in drawing.frames} | {note.mark for note in drawing.texts}
    kinds: set[str] = {placed.box.kind for placed in drawing.boxes} | ({"add"} if drawing.pluses else set())
    return kinds, [mark for mark in MARKS if mark in seen]


def sign(mark: Mark, x: int, y: int) -> str:
    """The path data (M, L, Q) of a mark's sign around a point in px."""
    across = {"x": x, "l": x - 4, "r": x + 4, "q": x - 2, "p": x + 2}
    return _SIGNS[mark].format(**across, y=y, t=y - 4, b=y + 4, d=y + 1, u=y - 1)


def _frame(frame: Frame, painter: Painter) -> None:
    area = Area(frame.x, frame.y, frame.width, frame.height)
    painter.rectangle(area, FRAME_RADIUS, Look("frame", "none", LIGHT_PAGE.frame, 1.25, (5, 4)))
    _mark(frame.mark, area, FRAME_RADIUS, painter)
    y = frame.y + frame.height - 9 if frame.label_below else frame.y + 17
    painter.text(frame.label, frame.x + 12, y, SMALL, "faint", "start")


def _box(placed: PlacedBox, painter: Painter) -> None:
    box, area = placed.box, Area(placed.x, placed.y, placed.width, placed.height)
    radius = placed.height // 2 if box.kind in ("input", "add") else RADIUS  # inputs and sums are round
    baseline = placed.y + (placed.height - FIRST_LINE - NEXT_LINE * (len(box.lines) - 1)) // 2
    with painter.group(box.tip):
        painter.rectangle(area, radius, Look(box.kind, *LIGHT[box.kind], 1.25, pale=box.mark == "same"))
        _mark(box.mark, area, radius, painter)
        for index, line in enumerate(box.lines):
            size, role = (SMALL if index else TEXT), "faint" if index or box.mark == "same" else "ink"
            painter.text(line, placed.x + placed.width // 2, baseline + ASCENT[size], size, role, "middle")
            baseline += NEXT_LINE if index else FIRST_LINE


def _mark(mark: Mark, area: Area, radius: int, painter: Painter) -> None:
    """The outline over a marked part, and its badge at the left corner; nothing for an unchanged part."""
    if mark in MARKS:
        painter.rectangle(area, radius, _outline(mark))
        painter.badge(mark, area.x + 1, area.y + 1)


def _outline(mark: Mark) -> Look:
    return Look(mark, "none", MARKS[mark], *_LINES[mark])


def _plus(plus: Plus, painter: Painter) -> None:
    """The circle of a sum; its badge is at the lower right, where no wire is."""
    radius = PLUS // 2
    with painter.group(f"{plus.path}: sum" if plus.path else ""):
        painter.sum(plus.x, plus.y, Look("add", *LIGHT["add"], WIRE))
        if plus.mark in MARKS:
            painter.rectangle(Area(plus.x - radius, plus.y - radius, PLUS, PLUS), radius, _outline(plus.mark))
            painter.badge(plus.mark, plus.x + radius + 3, plus.y + radius)
