"""A placed drawing as SVG text.

Colours are literal attributes, because renderers other than browsers do not know custom properties; a media query
overrides them on a dark page. Ids and style rules have a prefix made from the content, so that one HTML page can
contain several figures. The same drawing gives the same bytes.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from html import escape

from inception_search.figures.colours import DARK, DARK_MARKS, DARK_PAGE, LIGHT_PAGE, MARKS
from inception_search.figures.network.measure import PLUS
from inception_search.figures.network.place import Placement, Wire
from inception_search.figures.network.tree import Mark
from inception_search.figures.paint.painter import (
    ARM,
    BADGE,
    INKS,
    PALE,
    SIGN,
    WIRE,
    Area,
    Look,
    Side,
    paint,
    roles,
    sign,
)
from inception_search.figures.paint.wires import heads, lines
from inception_search.figures.printing.palettes import recoloured
from inception_search.figures.printing.size import IN_SVG, PX, Print
from inception_search.figures.type_metrics import FAMILY

LARGE = 21  # px, type size in a figure that is shown at about half its size
BOLD = 1.6  # factor for the width of its lines


def svg(drawing: Placement, *, title: str, description: str, how: Print | None = None, large: bool = False) -> str:
    """The SVG document of ``drawing``; ``title`` and ``description`` are for screen readers.

    ``how`` sets its printed size and palette; ``large``: type and lines are legible at half the size.
    """
    how = how or Print()
    size = _size(drawing, how)
    title, description = text(title), text(description)
    painter = _SvgPainter(drawing.width, drawing.height, large)
    paint(drawing, painter)
    body = "\n".join(painter.lines)
    head = f"{drawing.width}x{drawing.height}\n{title}\n{description}\n{body}"
    name = "f" + hashlib.sha256(head.encode()).hexdigest()[:12]
    dark = f"<style>@media (prefers-color-scheme: dark) {{\n{_dark_rules(name, drawing)}\n}}</style>\n"
    document = (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{name}" {size} '
        f'viewBox="0 0 {drawing.width} {drawing.height}" role="img" aria-labelledby="{name}-title {name}-desc" '
        f'font-family="{FAMILY}">\n'
        f'<title id="{name}-title">{title}</title>\n<desc id="{name}-desc">{description}</desc>\n'
        f"{dark if how.palette == 'colour' else ''}"
        f"{body}\n</svg>\n"
    )
    return recoloured(document, how.palette)


def _size(drawing: Placement, how: Print) -> str:
    if not how.sized:
        return f'width="{drawing.width}" height="{drawing.height}"'
    unit = IN_SVG.get(how.unit, how.unit) if how.width is not None else "pt"
    zoom = how.scale(drawing.width) / PX[unit]
    return f'width="{drawing.width * zoom:.6g}{unit}" height="{drawing.height * zoom:.6g}{unit}"'


@lru_cache(maxsize=4096)
def text(value: str) -> str:
    """``value`` for XML and HTML: clean and escaped."""
    return escape(clean(value))


def clean(value: str) -> str:
    """``value`` on one line, without control, bidi and other invisible characters."""
    return "".join(filter(_visible, " ".join(value.split())))


@lru_cache(maxsize=4096)
def _visible(char: str) -> bool:
    if unicodedata.category(char) in ("Cc", "Cf", "Cs"):
        return False
    code = ord(char)
    return code & 0xFFFE != 0xFFFE and not 0xFDD0 <= code <= 0xFDEF


def _dark_rules(name: str, drawing: Placement) -> str:
    page = DARK_PAGE
    rules = [
        ("paper", f"fill:{page.paper}"),
        ("ink", f"fill:{page.ink}"),
        ("faint", f"fill:{page.faint}"),
        ("wire", f"stroke:{page.wire}"),
        ("head", f"fill:{page.wire}"),
        ("frame", f"stroke:{page.frame}"),
    ]
    kinds, marks = roles(drawing)
    rules += [(kind, f"fill:{colours.fill};stroke:{colours.stroke}") for kind, colours in DARK.items() if kind in kinds]
    for mark in marks:
        rules += [(f"{mark}-line", f"stroke:{DARK_MARKS[mark]}"), (f"{mark}-fill", f"fill:{DARK_MARKS[mark]}")]
    rules += [("sign", f"stroke:{page.paper}")] if marks else []
    return "\n".join(f"#{name} .{rule} {{{style}}}" for rule, style in rules)


class _SvgPainter:
    """Lines of SVG: one per frame or sum, and one per line of text in a box."""

    def __init__(self, width: int, height: int, large: bool) -> None:
        self._large, self._bold = large, BOLD if large else 1
        self.lines = [f'<rect class="paper" width="{width}" height="{height}" fill="{LIGHT_PAGE.paper}"/>']
        self._line = ""
        self._grouped = False

    def _end_line(self) -> None:
        if self._line:
            self.lines.append(self._line)
        self._line = ""

    def wires(self, wires: Sequence[Wire]) -> None:
        colour = LIGHT_PAGE.wire
        self.lines.append(f'<g class="wire" fill="none" stroke="{colour}" stroke-width="{WIRE * self._bold:g}">')
        self.lines += [f'<path d="{line}"/>' for line in lines(wires)]
        self.lines += ["</g>", f'<path class="head" fill="{colour}" d="{heads(wires)}"/>']

    @contextmanager
    def group(self, tip: str) -> Iterator[None]:
        self._line += "<g>" + (f"<title>{text(tip)}</title>" if tip else "")
        self._grouped = True
        yield
        self._line += "</g>"
        self._end_line()
        self._grouped = False

    def rectangle(self, area: Area, radius: int, look: Look) -> None:
        name = f"{look.role}-line" if look.role in MARKS else look.role
        dashes = f' stroke-dasharray="{look.dashes[0]} {look.dashes[1]}"' if look.dashes else ""
        if name != look.role and self._grouped and self._line.endswith("/>"):
            self._end_line()  # only outlines of boxes are on a line of their own
        width = f"{look.width * self._bold:g}"
        pale = f' fill-opacity="{PALE[0]}" stroke-opacity="{PALE[1]}"' if look.pale else ""
        self._line += (
            f'<rect class="{name}" x="{area.x}" y="{area.y}" width="{area.width}" height="{area.height}" '
            f'rx="{radius}" fill="{look.fill}" stroke="{look.stroke}" stroke-width="{width}"{dashes}{pale}/>'
        )

    def sum(self, x: int, y: int, look: Look) -> None:
        self._line += (
            f'<g class="add" fill="{look.fill}" stroke="{look.stroke}" stroke-width="{look.width * self._bold:g}">'
            f'<circle cx="{x}" cy="{y}" r="{PLUS // 2}"/>'
            f'<path d="M{x - ARM} {y}h{2 * ARM}M{x} {y - ARM}v{2 * ARM}"/></g>'
        )

    def badge(self, mark: Mark, x: int, y: int) -> None:
        self._line += (
            f'<circle class="{mark}-fill" cx="{x}" cy="{y}" r="{BADGE}" fill="{MARKS[mark]}"/>'
            f'<path class="sign" d="{sign(mark, x, y)}" fill="none" stroke="{LIGHT_PAGE.paper}" '
            f'stroke-width="{SIGN}" stroke-linecap="round"/>'
        )

    def text(self, words: str, x: int, y: int, size: int, role: str, side: Side, *, bold: bool = False) -> None:
        name = f"{role}-fill" if role in MARKS else role
        anchor = "" if side == "start" else f' text-anchor="{side}"'
        weight = ' font-weight="bold"' if bold else ""
        if self._grouped:
            self._end_line()
        if self._large:
            y, size = y + (LARGE - size) // 2, LARGE
        self._line += (
            f'<text class="{name}" x="{x}" y="{y}" font-size="{size}"{anchor}{weight} '
            f'fill="{INKS[role]}">{text(words)}</text>'
        )
        self._end_line()
