"""PDF, by matplotlib: vector graphics with embedded fonts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from typing import TYPE_CHECKING, Any

from inception_search.figures.colours import LIGHT_PAGE, MARKS
from inception_search.figures.network.measure import PLUS
from inception_search.figures.network.place import Wire
from inception_search.figures.network.tree import Mark
from inception_search.figures.paint.painter import ARM, BADGE, INKS, PALE, SIGN, WIRE, Area, Look, Side, paint, sign
from inception_search.figures.paint.svg import clean
from inception_search.figures.paint.wires import heads, lines
from inception_search.figures.printing.palettes import PALETTES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from inception_search.figures.figure import Figure

POINTS = 0.75  # per px


def pdf(figure: Figure) -> bytes:
    """A page of the figure's size; it has no dates, so that the same figure gives the same bytes."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Canvas

    drawing = figure.drawing
    inches = (drawing.width / 96 * figure.scale, drawing.height / 96 * figure.scale)
    with rc_context({"pdf.fonttype": 42, "font.family": ["DejaVu Sans"], "text.parse_math": False}):
        canvas = Canvas(figsize=inches)
        axes = canvas.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, drawing.width), ylim=(drawing.height, 0))
        axes.axis("off")
        paint(drawing, _PdfPainter(axes, POINTS * figure.scale, PALETTES[figure.how.palette]))
        out = BytesIO()
        facts = {"Title": clean(figure.title), "Creator": "inception-search", "Producer": None, "CreationDate": None}
        canvas.savefig(out, format="pdf", metadata=facts)
    return out.getvalue()


class _PdfPainter:
    """Adds artists to ``axes``, with ``points`` per px for lines and type, and the colours of a palette."""

    def __init__(self, axes: Axes, points: float, palette: dict[str, str]) -> None:
        self.axes, self.points, self.palette = axes, points, palette

    def _colour(self, colour: str, opacity: float = 1.0) -> tuple[str, float]:
        return self.palette.get(colour, colour), opacity if colour != "none" else 0.0

    def _shape(self, data: str, fill: str, stroke: str, width: float, **more: Any) -> None:
        """A shape from SVG path data with the commands M, L, Q and Z."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        codes = {"M": [Path.MOVETO], "L": [Path.LINETO], "Q": [Path.CURVE3, Path.CURVE3], "Z": [Path.CLOSEPOLY]}
        points: list[tuple[int, int]] = []
        kinds: list[Any] = []
        for letter, numbers in re.findall(r"([MLQZ])([-0-9 ]*)", data):
            values = list(map(int, numbers.split())) or [0, 0]
            points += list(zip(values[::2], values[1::2], strict=True))
            kinds += codes[letter]
        self._add(PathPatch, (Path(points, kinds),), fill, stroke, width, **more)

    def _add(self, kind: Any, place: tuple[Any, ...], fill: str, stroke: str, width: float, **more: Any) -> None:
        look = {"facecolor": self._colour(fill), "edgecolor": self._colour(stroke), "linewidth": width * self.points}
        self.axes.add_patch(kind(*place, **({"fill": fill != "none"} | look | more)))

    def wires(self, wires: Sequence[Wire]) -> None:
        for line in lines(wires):
            self._shape(line, "none", LIGHT_PAGE.wire, WIRE)
        if tips := heads(wires):
            self._shape(tips, LIGHT_PAGE.wire, "none", 0)

    def rectangle(self, area: Area, radius: int, look: Look) -> None:
        from matplotlib.patches import FancyBboxPatch

        more: dict[str, Any] = {"boxstyle": f"round,pad=0,rounding_size={radius}"}
        if look.dashes:
            more["linestyle"] = (0, tuple(part * self.points for part in look.dashes))
        if look.pale:
            more |= {"facecolor": self._colour(look.fill, PALE[0]), "edgecolor": self._colour(look.stroke, PALE[1])}
        place = ((area.x, area.y), area.width, area.height)
        self._add(FancyBboxPatch, place, look.fill, look.stroke, look.width, **more)

    def sum(self, x: int, y: int, look: Look) -> None:
        from matplotlib.patches import Circle

        self._add(Circle, ((x, y), PLUS // 2), look.fill, look.stroke, look.width)
        self._shape(f"M{x - ARM} {y}L{x + ARM} {y}M{x} {y - ARM}L{x} {y + ARM}", "none", look.stroke, look.width)

    def badge(self, mark: Mark, x: int, y: int) -> None:
        from matplotlib.patches import Circle

        self._add(Circle, ((x, y), BADGE), MARKS[mark], "none", 0)
        self._shape(sign(mark, x, y), "none", LIGHT_PAGE.paper, SIGN, capstyle="round")

    def text(self, words: str, x: int, y: int, size: int, role: str, side: Side, *, bold: bool = False) -> None:
        look: dict[str, Any] = {"fontsize": size * self.points, "color": self._colour(INKS[role])[0], "va": "baseline"}
        weight, align = "bold" if bold else "normal", "left" if side == "start" else "center"
        self.axes.text(x, y, clean(words), fontweight=weight, ha=align, **look)

    def group(self, tip: str) -> AbstractContextManager[None]:
        return nullcontext()
