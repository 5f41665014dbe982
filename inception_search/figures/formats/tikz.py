"""TikZ: the same drawing, box for box, as a picture to be read by LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inception_search.figures.colours import LIGHT, LIGHT_PAGE, MARKS
from inception_search.figures.figure import Figure
from inception_search.figures.network.measure import FIRST_LINE, NEXT_LINE, PLUS, SMALL
from inception_search.figures.network.place import Frame, PlacedBox, Placement, Plus, Wire
from inception_search.figures.network.tree import Mark
from inception_search.figures.paint.marks import BADGE, LINES, SIGN, marks_of, sign
from inception_search.figures.paint.svg import clean, radius_of
from inception_search.figures.paint.wires import BEND
from inception_search.figures.printing.palettes import recoloured

PT = 0.75  # points of a px
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


def render(figure: Figure) -> bytes:
    """A ``tikzpicture`` for ``\\input`` in a document that loads tikz with the library arrows.meta."""
    return recoloured("\n".join(_lines(figure)), figure.how.palette).encode() + b"\n"


def _lines(figure: Figure) -> Iterator[str]:
    drawing = figure.drawing
    yield f"% {clean(figure.title)}"
    size = f"({drawing.width * figure.scale:g},{drawing.height * figure.scale:g})"
    yield (
        f"\\begin{{tikzpicture}}[x={PT}bp, y=-{PT}bp, font=\\sffamily\\fontsize{{9.5}}{{11}}\\selectfont, "
        f"line width=0.8pt, >={{Latex[length=5pt, width=5pt]}}]"
    )
    yield f"\\path[use as bounding box] (0,0) rectangle {size};"
    # transform canvas, since scale leaves rounded corners, dashes and arrows as large as they are
    yield f"\\begin{{scope}}[transform canvas={{scale={figure.scale:.6g}}}]"
    yield from _colours(drawing)
    yield from map(_frame, drawing.frames)
    yield from map(_wire, drawing.wires)
    for placed in drawing.boxes:
        yield from _box(placed)
    yield from map(_plus, drawing.pluses)
    for note in drawing.texts:
        ink = f"{note.mark}mark" if note.mark in MARKS else "wire"
        yield _text(note.x, note.y, note.text, f"{ink}, anchor=west, inner sep=0pt", small=True)
    for heading in drawing.headings:
        yield _text(heading.x, heading.y - heading.size // 3, f"\\bfseries {escaped(heading.text)}", raw=True)
    yield "\\end{scope}\n\\end{tikzpicture}"


def _colours(drawing: Placement) -> Iterator[str]:
    kinds = dict.fromkeys(placed.box.kind for placed in drawing.boxes) | ({"add": None} if drawing.pluses else {})
    for kind in kinds:
        yield _colour(f"{kind}fill", LIGHT[kind].fill) + _colour(f"{kind}line", LIGHT[kind].stroke)
    for mark in marks_of(drawing):
        yield _colour(f"{mark}mark", MARKS[mark])
    yield _colour("wire", LIGHT_PAGE.wire) + _colour("frame", LIGHT_PAGE.frame)


def _colour(name: str, value: str) -> str:
    return f"\\definecolor{{{name}}}{{HTML}}{{{value[1:].upper()}}}"


def _frame(frame: Frame) -> str:
    corners = _corners(frame.x, frame.y, frame.width, frame.height)
    y = frame.y + frame.height - 12 if frame.label_below else frame.y + 13
    label = _text(frame.x + 12, y, frame.label, "wire, anchor=west, inner sep=0pt", small=True)
    marked = "\n".join(_mark(frame.mark, corners, frame.x, frame.y, 8))
    return f"\\draw[frame, dashed, rounded corners=6pt] {corners};\n{label}" + (f"\n{marked}" if marked else "")


def _wire(wire: Wire) -> str:
    points = " -- ".join(f"({x},{y})" for x, y in wire.points)
    return f"\\draw[wire, rounded corners={BEND * PT}pt{', ->' if wire.arrow else ''}] {points};"


def _box(placed: PlacedBox) -> Iterator[str]:
    kind, lines = placed.box.kind, placed.box.lines
    corners = _corners(placed.x, placed.y, placed.width, placed.height)
    pale = ", fill opacity=0.4, draw opacity=0.5" if placed.box.mark == "same" else ""
    yield f"\\filldraw[fill={kind}fill, draw={kind}line, rounded corners={radius_of(placed) * PT:g}pt{pale}] {corners};"
    y = placed.y + (placed.height - FIRST_LINE - NEXT_LINE * (len(lines) - 1)) // 2 + FIRST_LINE // 2
    for index, line in enumerate(lines):
        yield _text(placed.x + placed.width // 2, y, line, small=index > 0)
        y += NEXT_LINE
    yield from _mark(placed.box.mark, corners, placed.x, placed.y, radius_of(placed))


def _mark(mark: Mark, corners: str, x: int, y: int, radius: int) -> Iterator[str]:
    """The outline of a mark and its sign in a disc; nothing where nothing differs."""
    if mark not in MARKS:
        return
    width, dashes = LINES[mark]
    style = f", dash pattern=on {dashes[0] * PT:g}pt off {dashes[1] * PT:g}pt" if dashes else ""
    yield f"\\draw[{mark}mark, line width={width * PT:g}pt, rounded corners={radius * PT:g}pt{style}] {corners};"
    yield _badge(mark, x + 1, y + 1)


def _badge(mark: Mark, x: int, y: int) -> str:
    points = re.findall(r"([MLQ])([-0-9 ]+)", sign(mark, x, y))
    way = "".join(_STEPS[letter].format(*numbers.split()) for letter, numbers in points)
    return (
        f"\\fill[{mark}mark] ({x},{y}) circle[radius={BADGE * PT:g}pt];\n"
        f"\\draw[white, line width={SIGN * PT:g}pt, line cap=round]{way};"
    )


def _plus(plus: Plus) -> str:
    x, y, arm = plus.x, plus.y, PLUS // 2 - 5
    return (
        f"\\filldraw[fill=addfill, draw=addline] ({x},{y}) circle[radius={PLUS // 2 * PT:g}pt] "
        f"({x - arm},{y}) -- ({x + arm},{y}) ({x},{y - arm}) -- ({x},{y + arm});"
        + (_badge(plus.mark, x + PLUS // 2 + 3, y + PLUS // 2) if plus.mark in MARKS else "")
    )


def _corners(x: int, y: int, width: int, height: int) -> str:
    return f"({x},{y}) rectangle ({x + width},{y + height})"


def _text(x: int, y: int, words: str, how: str = "", *, small: bool = False, raw: bool = False) -> str:
    size = f"\\fontsize{{{SMALL * PT - 0.5:g}}}{{10}}\\selectfont " if small else ""
    return f"\\node{f'[{how}]' if how else ''} at ({x},{y}) {{{size}{words if raw else escaped(words)}}};"


def escaped(words: str) -> str:
    """``words`` for LaTeX: clean, nothing a command."""
    return "".join(_CODES.get(char, char) for char in clean(words))
