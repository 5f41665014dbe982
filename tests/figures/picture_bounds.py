"""Where everything in an SVG picture is, with the advance widths of a real font, and what of it leaves the picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
from matplotlib.font_manager import get_font

SVG = "{http://www.w3.org/2000/svg}"
FONTS = Path(matplotlib.get_data_path()) / "fonts/ttf"
TOLERANCE = 0.1  # px
Bounds = tuple[float, float, float, float]  # left, top, right, bottom


def outside(svg: str) -> list[str]:
    """What leaves the view box, each with its bounds; empty for a picture that shows all of itself."""
    root = ElementTree.fromstring(svg)
    left, top, width, height = map(float, (root.get("viewBox") or "").split())
    found = []
    for what, (x0, y0, x1, y1) in _parts(root, 0.0, 0.0, 1.0, 0.0):
        inside = x0 >= left - TOLERANCE and y0 >= top - TOLERANCE
        if not (inside and x1 <= left + width + TOLERANCE and y1 <= top + height + TOLERANCE):
            found.append(f"{what} at {x0:.0f},{y0:.0f} to {x1:.0f},{y1:.0f} of {width:.0f}x{height:.0f}")
    return found


@lru_cache(maxsize=10000)
def text_width(words: str, size: float, bold: bool) -> float:
    """The width in px of ``words`` in DejaVu Sans, the widest of the usual fallbacks."""
    font = get_font(str(FONTS / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")))
    font.set_size(size, 72)
    font.set_text(words, 0.0)
    return float(font.get_width_height()[0]) / 64


def _parts(node: ElementTree.Element, dx: float, dy: float, zoom: float, turn: float) -> Iterator[tuple[str, Bounds]]:
    """Every text and shape below ``node``, whose own place is moved, zoomed and turned (by -90 degrees, or not)."""
    tag = node.tag.removeprefix(SVG)
    if tag in ("title", "desc", "style", "defs"):
        return
    move = node.get("transform") or ""
    if found := re.search(r"translate\(([-\d.]+) ([-\d.]+)\)", move):
        dx, dy = dx + zoom * float(found[1]), dy + zoom * float(found[2])
    if found := re.search(r"scale\(([\d.]+)\)", move):
        zoom *= float(found[1])
    turn += float(found[1]) if (found := re.search(r"rotate\(([-\d.]+)\)", move)) else 0.0
    own = _bounds(tag, node)
    if own is not None and (node.get("width"), node.get("height")) != ("100%", "100%"):
        x0, y0, x1, y1 = own if not turn else (own[1], -own[2], own[3], -own[0])
        what = node.text if tag == "text" else f"{tag}.{node.get('class')}"
        yield str(what), (dx + zoom * x0, dy + zoom * y0, dx + zoom * x1, dy + zoom * y1)
    for inner in node:
        yield from _parts(inner, dx, dy, zoom, turn)


def _bounds(tag: str, node: ElementTree.Element) -> Bounds | None:
    def number(name: str) -> float:
        return float(node.get(name) or 0)

    line = number("stroke-width") / 2
    if tag == "rect":
        x, y = number("x"), number("y")
        return x - line, y - line, x + number("width") + line, y + number("height") + line
    if tag == "circle":
        x, y, radius = number("cx"), number("cy"), number("r") + line
        return x - radius, y - radius, x + radius, y + radius
    if tag == "path":
        points = list(_points(node.get("d") or ""))
        xs, ys = [x for x, _ in points], [y for _, y in points]
        return (min(xs), min(ys), max(xs), max(ys)) if points else None
    if tag == "text":
        size = number("font-size")
        width = text_width(node.text or "", size, node.get("font-weight") == "bold")
        shift = {"middle": width / 2, "end": width}.get(node.get("text-anchor") or "", 0.0)
        x, y = number("x") - shift, number("y")
        return x, y - 0.76 * size, x + width, y + 0.24 * size  # ascender and descender of small letters
    return None


def _points(data: str) -> Iterator[tuple[float, float]]:
    x = y = 0.0
    for letter, numbers in re.findall(r"([MLQHVZmlhvqz])([-\d. ,]*)", data):
        values = [float(value) for value in re.findall(r"-?[\d.]+", numbers)]
        base = (x, y) if letter.islower() else (0.0, 0.0)
        if letter in "Hh":
            x = base[0] + values[-1]
        elif letter in "Vv":
            y = base[1] + values[-1]
        elif letter not in "Zz":
            x, y = base[0] + values[-2], base[1] + values[-1]
        yield x, y
