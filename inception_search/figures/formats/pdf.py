"""PDF, by matplotlib: vectors, with the font inside."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

from inception_search.figures.colours import LIGHT, LIGHT_PAGE, MARKS
from inception_search.figures.figure import Figure
from inception_search.figures.network.measure import FIRST_LINE, NEXT_LINE, PLUS, SMALL, TEXT
from inception_search.figures.network.place import Frame, PlacedBox, Placement, Plus
from inception_search.figures.network.tree import Mark
from inception_search.figures.paint.marks import BADGE, LINES, SIGN, sign
from inception_search.figures.paint.svg import ASCENT, clean, radius_of
from inception_search.figures.paint.wires import heads, lines
from inception_search.figures.printing.palettes import PALETTES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 0.75  # of a px
PALE = 0.45  # opacity of a box in which nothing differs


def render(figure: Figure) -> bytes:
    """A page of the figure's size; without dates, so that the same figure gives the same bytes."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Canvas

    drawing = figure.drawing
    inches = (drawing.width / 96 * figure.scale, drawing.height / 96 * figure.scale)
    with rc_context({"pdf.fonttype": 42, "font.family": ["DejaVu Sans"], "text.parse_math": False}):
        canvas = Canvas(figsize=inches)
        axes = canvas.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, drawing.width), ylim=(drawing.height, 0))
        axes.axis("off")
        _paint(axes, drawing)
        _print(axes, figure)
        out = BytesIO()
        facts = {"Title": clean(figure.title), "Creator": "inception-search", "Producer": None, "CreationDate": None}
        canvas.savefig(out, format="pdf", metadata=facts)
    return out.getvalue()


def _print(axes: Axes, figure: Figure) -> None:
    """Bring lines and type, which are in points, to the figure's scale, and colours to its palette."""
    from matplotlib.colors import to_hex, to_rgba
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.text import Text

    table = PALETTES[figure.how.palette]

    def colour(old: Any) -> Any:
        return to_rgba(table.get(to_hex(old), to_hex(old)), to_rgba(old)[3])

    for artist in (*axes.patches, *axes.lines, *axes.texts):
        if isinstance(artist, Text):
            artist.set_fontsize(float(artist.get_fontsize()) * figure.scale)
            artist.set_color(colour(artist.get_color()))
        elif isinstance(artist, Patch | Line2D):
            artist.set_linewidth(float(artist.get_linewidth()) * figure.scale)
            if isinstance(artist, Line2D):
                artist.set_color(colour(artist.get_color()))
                continue
            artist.set_edgecolor(colour(artist.get_edgecolor()))
            if artist.get_fill():
                artist.set_facecolor(colour(artist.get_facecolor()))


def _paint(axes: Axes, drawing: Placement) -> None:
    from matplotlib.patches import PathPatch

    page = LIGHT_PAGE
    for frame in drawing.frames:
        _frame(axes, frame)
    for line in lines(drawing.wires):
        axes.add_patch(PathPatch(_path(line), fill=False, edgecolor=page.wire, linewidth=1.5 * POINTS))
    tips = heads(drawing.wires)
    if tips:
        axes.add_patch(PathPatch(_path(tips), facecolor=page.wire, linewidth=0))
    for placed in drawing.boxes:
        _box(axes, placed)
    for plus in drawing.pluses:
        _plus(axes, plus)
    for note in drawing.texts:
        marked = note.mark in MARKS
        _text(axes, note.x, note.y + 4, note.text, SMALL, MARKS.get(note.mark, page.faint), "left", bold=marked)
    for heading in drawing.headings:
        _text(axes, heading.x, heading.y, heading.text, heading.size, page.ink, "center", bold=True)


def _box(axes: Axes, placed: PlacedBox) -> None:
    box, page = placed.box, LIGHT_PAGE
    paint = LIGHT[box.kind]
    fade = {"alpha": PALE} if box.mark == "same" else {}
    _rectangle(
        axes, placed, radius_of(placed), **fade, facecolor=paint.fill, edgecolor=paint.stroke, linewidth=1.25 * POINTS
    )
    top = placed.y + (placed.height - FIRST_LINE - NEXT_LINE * (len(box.lines) - 1)) // 2
    for index, line in enumerate(box.lines):
        size, ink = (SMALL, page.faint) if index else (TEXT, page.faint if fade else page.ink)
        _text(axes, placed.x + placed.width // 2, top + ASCENT[size], line, size, ink, "center")
        top += NEXT_LINE if index else FIRST_LINE
    _mark(axes, box.mark, placed, radius_of(placed))


def _mark(axes: Axes, mark: Mark, place: PlacedBox | Frame, radius: int) -> None:
    """The outline of a mark and its sign in a disc."""
    if mark not in MARKS:
        return
    width, dashes = LINES[mark]
    style = (0, tuple(part * POINTS for part in dashes)) if dashes else "solid"
    look: dict[str, Any] = {"fill": False, "edgecolor": MARKS[mark], "linestyle": style}
    _rectangle(axes, place, radius, linewidth=width * POINTS, **look)
    _badge(axes, mark, place.x + 1, place.y + 1)


def _badge(axes: Axes, mark: Mark, x: int, y: int) -> None:
    from matplotlib.patches import Circle, PathPatch

    axes.add_patch(Circle((x, y), BADGE, facecolor=MARKS[mark], linewidth=0))
    look: dict[str, Any] = {"edgecolor": LIGHT_PAGE.paper, "linewidth": SIGN * POINTS, "capstyle": "round"}
    axes.add_patch(PathPatch(_path(sign(mark, x, y)), fill=False, **look))


def _frame(axes: Axes, frame: Frame) -> None:
    look: dict[str, Any] = {"fill": False, "edgecolor": LIGHT_PAGE.frame, "linewidth": 1.25 * POINTS}
    _rectangle(axes, frame, 8, linestyle=(0, (5 * POINTS, 4 * POINTS)), **look)
    y = frame.y + frame.height - 9 if frame.label_below else frame.y + 17
    _text(axes, frame.x + 12, y, frame.label, SMALL, LIGHT_PAGE.faint, "left")
    _mark(axes, frame.mark, frame, 8)


def _plus(axes: Axes, plus: Plus) -> None:
    from matplotlib.patches import Circle

    paint, arm, x, y = LIGHT["add"], PLUS // 2 - 5, plus.x, plus.y
    look: dict[str, Any] = {"linewidth": 1.5 * POINTS}
    axes.add_patch(Circle((x, y), PLUS // 2, facecolor=paint.fill, edgecolor=paint.stroke, **look))
    for xs, ys in (((x - arm, x + arm), (y, y)), ((x, x), (y - arm, y + arm))):
        axes.plot(xs, ys, color=paint.stroke, **look)
    if plus.mark in MARKS:
        _badge(axes, plus.mark, x + PLUS // 2 + 3, y + PLUS // 2)


def _rectangle(axes: Axes, place: PlacedBox | Frame, radius: int, **look: Any) -> None:
    from matplotlib.patches import FancyBboxPatch

    corners = f"round,pad=0,rounding_size={radius}"
    axes.add_patch(FancyBboxPatch((place.x, place.y), place.width, place.height, boxstyle=corners, **look))


def _text(axes: Axes, x: int, y: int, words: str, size: int, ink: str, side: str, *, bold: bool = False) -> None:
    weight = "bold" if bold else "normal"
    axes.text(x, y, clean(words), fontsize=size * POINTS, color=ink, ha=side, va="baseline", fontweight=weight)


def _path(data: str) -> Any:
    """A matplotlib path of SVG path data made of M, L, Q and Z."""
    from matplotlib.path import Path

    codes = {"M": [Path.MOVETO], "L": [Path.LINETO], "Q": [Path.CURVE3, Path.CURVE3], "Z": [Path.CLOSEPOLY]}
    points: list[tuple[int, int]] = []
    kinds: list[Any] = []
    for letter, numbers in re.findall(r"([MLQZ])([-0-9 ]*)", data):
        values = list(map(int, numbers.split())) or [0, 0]
        points += list(zip(values[::2], values[1::2], strict=True))
        kinds += codes[letter]
    return Path(points, kinds)
