"""TikZ: the same drawing, shape for shape, to be included in LaTeX or as its own document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from inception_search.figures.colours import LIGHT, LIGHT_PAGE, MARKS
from inception_search.figures.network.measure import PLUS
from inception_search.figures.network.place import Placement, Wire
from inception_search.figures.network.tree import Mark
from inception_search.figures.paint.painter import ARM, BADGE, PALE, SIGN, WIRE, Area, Look, Side, paint, roles, sign
from inception_search.figures.paint.svg import clean
from inception_search.figures.paint.wires import BEND
from inception_search.figures.printing.palettes import recoloured

if TYPE_CHECKING:
    from inception_search.figures.figure import Figure

PT = 0.75  # points per px
_STEPS = {"M": " ({0},{1})", "L": " -- ({0},{1})", "Q": " .. controls ({0},{1}) .. ({2},{3})"}
_CODES = {char: f"\\{char}" for char in "#$%&_{}"} | {
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "×": "$\\times$",
    "·": "$\\cdot$",
    "−": "$-$",
    "–": "--",
    "…": "\\ldots{}",
    "→": "$\\to$",
}


_HEAD = r"""\documentclass[tikz, border=0pt]{standalone}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{helvet}
\usetikzlibrary{arrows.meta}
\begin{document}
"""


def tex(figure: Figure) -> bytes:
    """A document that ``pdflatex`` turns into one page of the figure's size."""
    return _HEAD.encode() + tikz(figure) + b"\\end{document}\n"


def tikz(figure: Figure) -> bytes:
    """A ``tikzpicture`` for ``\\input`` in a document that loads tikz with the library arrows.meta."""
    drawing, painter = figure.drawing, _TikzPainter()
    paint(drawing, painter)
    lines = (
        f"% {clean(figure.title)}",
        f"\\begin{{tikzpicture}}[x={PT}bp, y=-{PT}bp, font=\\sffamily, inner sep=0pt, "
        f"line width={WIRE * PT:g}bp, >={{Latex[length=5pt, width=5pt]}}]",
        f"\\path[use as bounding box] (0,0) rectangle "
        f"({drawing.width * figure.scale:g},{drawing.height * figure.scale:g});",
        # transform canvas, because scale does not change rounded corners, dashes and arrows
        f"\\begin{{scope}}[transform canvas={{scale={figure.scale:.6g}}}]",
        *_colours(drawing),
        *painter.lines,
        "\\end{scope}\n\\end{tikzpicture}\n",
    )
    return recoloured("\n".join(lines), figure.how.palette).encode()


def _colours(drawing: Placement) -> Iterator[str]:
    page, (kinds, marks) = LIGHT_PAGE, roles(drawing)
    for kind in (kind for kind in LIGHT if kind in kinds):
        yield _colour(f"{kind}fill", LIGHT[kind].fill) + _colour(f"{kind}line", LIGHT[kind].stroke)
    for mark in marks:
        yield _colour(mark, MARKS[mark])
    yield _colour("ink", page.ink) + _colour("faint", page.faint)
    yield _colour("wire", page.wire) + _colour("frame", page.frame)


def _colour(name: str, value: str) -> str:
    return f"\\definecolor{{{name}}}{{HTML}}{{{value[1:].upper()}}}"


class _TikzPainter:
    """Lines of TikZ; colours are named after the role of their shape."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def wires(self, wires: Sequence[Wire]) -> None:
        for wire in wires:
            points = " -- ".join(f"({x},{y})" for x, y in wire.points)
            arrow = ", ->" if wire.arrow else ""
            self.lines.append(f"\\draw[wire, rounded corners={BEND * PT}bp{arrow}] {points};")

    def rectangle(self, area: Area, radius: int, look: Look) -> None:
        stroke = f"{look.role}line" if look.role in LIGHT else look.role
        fill = "" if look.fill == "none" else f"fill={look.role}fill, "
        dashes = f", dash pattern=on {look.dashes[0] * PT:g}bp off {look.dashes[1] * PT:g}bp" if look.dashes else ""
        pale = f", fill opacity={PALE[0]}, draw opacity={PALE[1]}" if look.pale else ""
        self.lines.append(
            f"\\path[{fill}draw={stroke}, line width={look.width * PT:.3g}bp, "
            f"rounded corners={radius * PT:g}bp{dashes}{pale}] "
            f"({area.x},{area.y}) rectangle ({area.x + area.width},{area.y + area.height});"
        )

    def sum(self, x: int, y: int, look: Look) -> None:
        self.lines.append(
            f"\\filldraw[fill=addfill, draw=addline] ({x},{y}) circle[radius={PLUS // 2 * PT:g}bp] "
            f"({x - ARM},{y}) -- ({x + ARM},{y}) ({x},{y - ARM}) -- ({x},{y + ARM});"
        )

    def badge(self, mark: Mark, x: int, y: int) -> None:
        points = re.findall(r"([MLQ])([-0-9 ]+)", sign(mark, x, y))
        way = "".join(_STEPS[letter].format(*numbers.split()) for letter, numbers in points)
        self.lines += [
            f"\\fill[{mark}] ({x},{y}) circle[radius={BADGE * PT:g}bp];",
            f"\\draw[white, line width={SIGN * PT:g}bp, line cap=round]{way};",
        ]

    def text(self, words: str, x: int, y: int, size: int, role: str, side: Side, *, bold: bool = False) -> None:
        anchor = "base west" if side == "start" else "base"
        style = f"\\fontsize{{{size * PT:g}}}{{{size}}}" + ("\\bfseries " if bold else "\\selectfont ")
        self.lines.append(f"\\node[{role}, anchor={anchor}] at ({x},{y}) {{{style}{escaped(words)}}};")

    def group(self, tip: str) -> AbstractContextManager[None]:
        return nullcontext()


def escaped(words: str) -> str:
    """``words`` for LaTeX: clean, without commands."""
    return "".join(_CODES.get(char, char) for char in clean(words))
