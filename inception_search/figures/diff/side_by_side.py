"""Two drawings next to each other, with matched parts at the same height."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inception_search.compare.diff_entry import Entry
from inception_search.compare.element import Element
from inception_search.figures.network.compose import SUBTITLE
from inception_search.figures.network.measure import DROP, PLUS, Room, most_lines
from inception_search.figures.network.place import Heading, Placement, lay_out
from inception_search.figures.network.tree import Part
from inception_search.figures.type_metrics import room_for

BETWEEN = 56  # px, between the two drawings
HEAD = 30  # px, height of a heading


def side_by_side(
    a: Part, b: Part, entries: Sequence[Entry], names: tuple[str, str], room: Room | None = None
) -> Placement:
    """The drawings of two parts, each under its name; rows are aligned where ``entries`` match them."""
    lines = max(most_lines(a), most_lines(b))
    left, right = lay_out(a, lines, room), lay_out(b, lines, room)
    level(left, right, entries)
    widths = [
        max(side.width, room_for(name, SUBTITLE, bold=True)) for side, name in zip((left, right), names, strict=True)
    ]
    out = Placement(sum(widths) + BETWEEN, HEAD + max(left.height, right.height))
    x = 0
    for side, name, width in zip((left, right), names, widths, strict=True):
        out.include(side, x + (width - side.width) // 2, HEAD)
        middle = (width - side.width) // 2 + side.title_axis(room_for(name, SUBTITLE, bold=True))
        out.headings.append(Heading(name, x + middle, SUBTITLE, SUBTITLE))
        x += width + BETWEEN
    return out


def level(left: Placement, right: Placement, entries: Sequence[Entry]) -> None:
    """Move rows of either drawing down, from the top, until matched parts are at the same height."""
    done = (-1, -1)
    for entry in _trunk(entries):
        mine, other = _spot(left, entry.a[0]), _spot(right, entry.b[0])
        if mine is None or other is None:
            continue
        (y_left, cut_left), (y_right, cut_right) = mine, other
        if y_left <= done[0] or y_right <= done[1]:
            continue
        drawing, cut, down = (
            (left, cut_left, y_right - y_left) if y_left < y_right else (right, cut_right, y_left - y_right)
        )
        if down and _clear(drawing, cut):
            lower(drawing, cut, down)
        done = (max(y_left, y_right),) * 2


def lower(drawing: Placement, cut: int, down: int) -> None:
    """Move everything at or below ``cut`` px down by ``down`` px; wires and frames across the cut grow."""
    drawing.height += down
    drawing.boxes = [replace(b, y=b.y + down) if b.y >= cut else b for b in drawing.boxes]
    drawing.pluses = [replace(p, y=p.y + down) if p.y >= cut else p for p in drawing.pluses]
    drawing.texts = [replace(t, y=t.y + down) if t.y >= cut else t for t in drawing.texts]
    drawing.wires = [
        replace(wire, points=tuple((x, y + down if y >= cut else y) for x, y in wire.points)) for wire in drawing.wires
    ]
    for index, frame in enumerate(drawing.frames):
        if frame.y >= cut:
            drawing.frames[index] = replace(frame, y=frame.y + down)
        elif frame.y + frame.height > cut:
            drawing.frames[index] = replace(frame, height=frame.height + down)


def _trunk(entries: Sequence[Entry]) -> list[Entry]:
    """The matched pairs of a trunk, including those inside added blocks and inside matched blocks."""
    found: list[Entry] = []
    for entry in entries:
        if entry.around and entry.kind != "concat":
            found += _trunk(entry.inside)
        elif entry.a and entry.b:
            found += _trunk(entry.inside) if entry.kind == "block" else [entry]
    return found


def _spot(drawing: Placement, element: Element) -> tuple[int, int] | None:
    """The height of an element's box (or the end of its branches), and where to cut the drawing to lower it."""
    inside = [b for b in drawing.boxes if b.box.path == element.path or b.box.path.startswith(f"{element.path}.")]
    if not inside:
        return _covering(drawing, element.path)
    top = min(placed.y for placed in inside)
    if element.kind != "concat" or any(placed.box.path == element.path for placed in inside):
        return top, top
    bottoms = [b.y + b.height for b in inside if b.box.path != f"{element.path}.concat"]
    return max(bottoms, default=top), top - DROP


def _covering(drawing: Placement, path: str) -> tuple[int, int] | None:
    """The height of the folded box that contains an element."""
    around = [b for b in drawing.boxes if b.box.path and path.startswith(f"{b.box.path}.")]
    return (around[0].y, around[0].y) if around else None


def _clear(drawing: Placement, cut: int) -> bool:
    """Whether only wires and frames cross this height."""
    return not any(b.y < cut < b.y + b.height for b in drawing.boxes) and not any(
        p.y - PLUS // 2 < cut <= p.y + PLUS // 2 for p in drawing.pluses
    )
