"""A placed drawing as SVG text.

Colours are literal attributes (renderers other than browsers do not know custom properties); a dark page is an
override inside a media query. Ids and style rules carry a prefix made from the content, so that several figures
can stand in one HTML page. The same drawing gives the same bytes.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from html import escape

from inception_search.figures.colours import DARK, DARK_PAGE, LIGHT, LIGHT_PAGE, MARKS
from inception_search.figures.network.measure import FIRST_LINE, NEXT_LINE, PLUS, SMALL, TEXT
from inception_search.figures.network.place import Frame, PlacedBox, Placement, Plus
from inception_search.figures.network.tree import Kind
from inception_search.figures.paint.marks import badge, mark_rules, marks_of, outline, pale, ring
from inception_search.figures.paint.wires import heads, lines
from inception_search.figures.printing.palettes import recoloured
from inception_search.figures.printing.size import IN_SVG, PX, Print
from inception_search.figures.type_metrics import FAMILY

RADIUS = 5  # px, corners of boxes
ASCENT = {TEXT: 12, SMALL: 11}  # px from the top of a line to its baseline


def svg(drawing: Placement, *, title: str, description: str, how: Print | None = None) -> str:
    """The SVG document of ``drawing``; ``title`` and ``description`` are for those who cannot see it.

    ``how`` gives it a size on paper and a palette.
    """
    how = how or Print()
    size = _size(drawing, how)
    title, description = text(title), text(description)
    body = "\n".join(_body(drawing))
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
    used = {placed.box.kind for placed in drawing.boxes} | ({"add"} if drawing.pluses else set())
    rules += [(k, f"fill:{paint.fill};stroke:{paint.stroke}") for k, paint in DARK.items() if k in used]
    rules += mark_rules(marks_of(drawing))
    return "\n".join(f"#{name} .{rule} {{{style}}}" for rule, style in rules)


def _body(drawing: Placement) -> Iterator[str]:
    page = LIGHT_PAGE
    yield f'<rect class="paper" width="{drawing.width}" height="{drawing.height}" fill="{page.paper}"/>'
    yield from map(_frame, drawing.frames)
    yield f'<g class="wire" fill="none" stroke="{page.wire}" stroke-width="1.5">'
    yield from (f'<path d="{line}"/>' for line in lines(drawing.wires))
    yield "</g>"
    yield f'<path class="head" fill="{page.wire}" d="{heads(drawing.wires)}"/>'
    for placed in drawing.boxes:
        yield from _box(placed)
    yield from map(_plus, drawing.pluses)
    for note in drawing.texts:
        name, fill = (f"{note.mark}-fill", MARKS[note.mark]) if note.mark in MARKS else ("faint", page.faint)
        yield _text(note.text, note.x, note.y + 4, SMALL, name, fill, "start", bold=note.mark in MARKS)
    for heading in drawing.headings:
        yield _text(heading.text, heading.x, heading.y, heading.size, "ink", page.ink, "middle", bold=True)


def _box(placed: PlacedBox) -> Iterator[str]:
    box, page = placed.box, LIGHT_PAGE
    middle = placed.x + placed.width // 2
    height = FIRST_LINE + NEXT_LINE * (len(box.lines) - 1)
    top = placed.y + (placed.height - height) // 2
    tip = f"<title>{text(box.tip)}</title>" if box.tip else ""
    yield f"<g>{tip}{_rect(placed, box.kind)}"
    if box.mark in MARKS:
        yield outline(box.mark, placed.x, placed.y, placed.width, placed.height, radius_of(placed))
    for index, line in enumerate(box.lines):
        size = SMALL if index else TEXT
        name, fill = ("faint", page.faint) if index or box.mark == "same" else ("ink", page.ink)
        yield _text(line, middle, top + ASCENT[size], size, name, fill, "middle")
        top += FIRST_LINE if index == 0 else NEXT_LINE
    yield "</g>"


def radius_of(placed: PlacedBox) -> int:
    """The radius in px of a box's corners: what enters and what sums is round."""
    return placed.height // 2 if placed.box.kind in ("input", "add") else RADIUS


def _rect(placed: PlacedBox, kind: Kind) -> str:
    paint = LIGHT[kind]
    return (
        f'<rect class="{kind}" x="{placed.x}" y="{placed.y}" width="{placed.width}" height="{placed.height}" '
        f'rx="{radius_of(placed)}" fill="{paint.fill}" stroke="{paint.stroke}" stroke-width="1.25"'
        f"{pale(placed.box.mark)}/>"
    )


def _radius(placed: PlacedBox) -> int:
    return placed.height // 2 if placed.box.kind == "input" else RADIUS


def _text(value: str, x: int, y: int, size: int, name: str, fill: str, anchor: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{name}" x="{x}" y="{y}" font-size="{size}"{side}{weight} fill="{fill}">{text(value)}</text>'


def _frame(frame: Frame) -> str:
    page = LIGHT_PAGE
    label_y = frame.y + 17 if not frame.label_below else frame.y + frame.height - 9
    return (
        f'<rect class="frame" x="{frame.x}" y="{frame.y}" width="{frame.width}" height="{frame.height}" rx="8" '
        f'fill="none" stroke="{page.frame}" stroke-width="1.25" stroke-dasharray="5 4"/>'
        + outline(frame.mark, frame.x, frame.y, frame.width, frame.height, 8)
        + _text(frame.label, frame.x + 12, label_y, SMALL, "faint", page.faint, "start")
    )


def _plus(plus: Plus) -> str:
    paint, arm = LIGHT["add"], PLUS // 2 - 5
    tip = f"<title>{text(plus.path)}: sum</title>" if plus.path else ""
    return (
        f'<g>{tip}<g class="add" fill="{paint.fill}" stroke="{paint.stroke}" stroke-width="1.5">'
        f'<circle cx="{plus.x}" cy="{plus.y}" r="{PLUS // 2}"/>'
        f'<path d="M{plus.x - arm} {plus.y}h{2 * arm}M{plus.x} {plus.y - arm}v{2 * arm}"/></g>{_ring(plus)}</g>'
    )


def _ring(plus: Plus) -> str:
    """The outline of a marked sum, and its badge at the right below, where no wire is."""
    if plus.mark not in MARKS:
        return ""
    radius = PLUS // 2
    around = ring(plus.mark, plus.x - radius, plus.y - radius, PLUS, PLUS, radius)
    return around + badge(plus.mark, plus.x + radius + 3, plus.y + radius)
