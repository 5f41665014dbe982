"""First pass of the layout, bottom up: the extent of every part on both sides of its vertical axis, and its height."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from inception_search.figures.network.mesh import Distances, Plan, planned
from inception_search.figures.network.routes import PORT
from inception_search.figures.network.tree import Box, Column, Fork, Group, Mesh, Note, Part, Residual, Tap, boxes
from inception_search.figures.type_metrics import room_for

# px; all distances of a figure
TEXT = 13  # type size of a box's first line
SMALL = 12  # type size of its other lines, of notes and of frame labels
FIRST_LINE, NEXT_LINE = 16, 15  # line heights
BOX_PAD_X, BOX_PAD_Y = 8, 6
BOX_MIN_WIDTH = 112
STUB = 12  # from a box down to the fork of its wire
DROP = 18  # from there down to a box
GAP = STUB + DROP  # between two boxes in series, so that the rows of neighbouring branches are level
BETWEEN = 18  # between two branches
LANE = 12  # half the width of a bare wire
SHORTCUT = 22  # from a body to the shortcut on its left
PLUS = 22  # diameter of the + circle
PLUS_WIDTH = 48  # width of a + that sums many wires
NOTE_HEIGHT, NOTE_SHIFT, NOTE_DROP = 18, 9, 4  # a note's text is moved right of its wire, and down a little
FRAME_PAD, FRAME_TOP = 14, 24
TAP_GAP, TAP_HEIGHT = 30, 12
SNAP = 12  # an axis closer than this to a branch's axis is moved onto it


@dataclass(frozen=True, slots=True)
class Room:
    """The space for parts: boxes of at least ``least`` px, branches ``between`` px apart.

    ``turned``: the flow runs to the right. Sizes are then measured across and along the flow as if it ran down, and the
    drawing is turned at the end: a box extends half its height from its axis, and its width counts as its height.
    ``lines`` and ``along`` are common to all boxes that are not slim: their lines of text and, if turned, their width.
    """

    least: int = BOX_MIN_WIDTH
    between: int = BETWEEN
    turned: bool = False
    lines: int = 1
    along: int = 0

    def across(self, box: Box) -> int:
        """The size of ``box`` in px across the flow."""
        return box_height(len(box.lines) if box.slim else self.lines) if self.turned else box_width(box, self.least)

    def height(self, box: Box) -> int:
        """The size of ``box`` in px along the flow."""
        if self.turned:
            return box_width(box, self.least) if box.slim else self.along
        return box_height(len(box.lines) if box.slim else self.lines)


@dataclass(frozen=True, slots=True)
class Sized:
    """A part that extends ``left`` and ``right`` px from its axis and is ``height`` px high.

    ``axes`` and ``tops`` place the inner parts relative to this part's axis and top; ``exits`` are where wires leave.
    """

    part: Part
    left: int
    right: int
    height: int
    inner: tuple[Sized, ...] = ()
    axes: tuple[int, ...] = ()
    tops: tuple[int, ...] = ()
    exits: tuple[int, ...] = (0,)
    join: Sized | None = field(default=None)
    plan: Plan | None = None  # of a mesh


def measured(part: Part, lines: int = 1, room: Room | None = None) -> Sized:
    """``part`` with all sizes; boxes that are not slim have equal heights, with room for at least ``lines``."""
    room = room or Room()
    along = max((box_width(box, room.least) for box in boxes(part) if not box.slim), default=0)
    return _measure(part, replace(room, lines=max(lines, most_lines(part)), along=along))


def most_lines(part: Part) -> int:
    """The largest number of lines in a box that is not slim."""
    return max((len(box.lines) for box in boxes(part) if not box.slim), default=1)


def box_height(lines: int) -> int:
    """The height in px of a box with this many lines of text."""
    return 2 * BOX_PAD_Y + FIRST_LINE + NEXT_LINE * (lines - 1)


def box_width(box: Box, least: int = BOX_MIN_WIDTH) -> int:
    """The even width in px that fits every line of ``box``, at least ``least`` and the box's own minimum."""
    rooms = [room_for(line, SMALL if i else TEXT) for i, line in enumerate(box.lines)]
    least = PLUS_WIDTH if box.kind == "add" else least
    return _even(max(least, box.width, *(room + 2 * BOX_PAD_X for room in rooms)))


def starts_forked(part: Part) -> bool:
    """Whether the wire into ``part`` forks before it meets a box."""
    if isinstance(part, Column):
        return bool(part.parts) and starts_forked(part.parts[0])
    return isinstance(part, Fork | Mesh) or (isinstance(part, Residual) and starts_forked(part.body))


def _even(value: int) -> int:
    return value + value % 2


def _measure(part: Part, room: Room) -> Sized:
    if isinstance(part, Box):
        return _box(part, room, 0)
    if isinstance(part, Note):
        if room.turned:  # over its wire
            return Sized(part, NOTE_HEIGHT, LANE, 2 * NOTE_SHIFT + room_for(part.text, SMALL))
        return Sized(part, LANE, max(LANE, NOTE_SHIFT + room_for(part.text, SMALL)), NOTE_HEIGHT)
    if isinstance(part, Column):
        return _column(part, room)
    if isinstance(part, Fork):
        return _fork(part, room)
    if isinstance(part, Residual):
        return _residual(part, room)
    if isinstance(part, Mesh):
        return _mesh(part, room)
    return _group(part, room) if isinstance(part, Group) else _tap(part, room)


def _box(box: Box, room: Room, width: int) -> Sized:
    half = _even(max(room.across(box), width)) // 2
    return Sized(box, half, half, room.height(box))


def _column(part: Column, room: Room) -> Sized:
    width = max((room.across(p) for p in part.parts if isinstance(p, Box)), default=0)
    inner = tuple(_box(p, room, width) if isinstance(p, Box) else _measure(p, room) for p in part.parts)
    trunk = [s for s in inner if not isinstance(s.part, Tap)]
    left = max((s.left for s in trunk), default=LANE)
    right = max((s.right for s in trunk), default=LANE)
    axes, tops, height = _stacked(inner, left, right)
    spans = [(axis - s.left, axis + s.right) for axis, s in zip(axes, inner, strict=True)]
    left = max(left, *(-low for low, _ in spans)) if spans else left
    right = max(right, *(high for _, high in spans)) if spans else right
    exits = inner[-1].exits if inner else (0,)
    return Sized(part, left, right, height, inner, axes, tops, exits)


def _stacked(inner: Sequence[Sized], left: int, right: int) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Axes, tops and total height of parts in series; taps are right or left of the column, wherever there is room."""
    axes, tops = [], []
    y, free = 0, {1: 0, -1: 0}
    for index, sized in enumerate(inner):
        y += gap(inner[index - 1].part, sized.part) if index else 0
        if not isinstance(sized.part, Tap):
            axes.append(0)
            tops.append(y)
            y += sized.height
            continue
        side = 1 if free[1] <= y or free[1] <= free[-1] else -1
        y = max(y, free[side])
        axes.append(right + TAP_GAP + sized.left if side == 1 else -(left + TAP_GAP + sized.right))
        tops.append(y)
        free[side] = y + sized.height + BETWEEN
        y += TAP_HEIGHT
    return tuple(axes), tuple(tops), max(y, *(bottom - BETWEEN for bottom in free.values()))


def gap(before: Part, after: Part) -> int:
    """The distance in px between two parts in series."""
    if starts_forked(after) or isinstance(after, Note | Residual):
        return 0
    if isinstance(before, Tap) or isinstance(after, Tap):
        return STUB
    return DROP if isinstance(before, Note) else GAP


def gap_to_plus(body: Part) -> int:
    """The distance in px from the end of a residual's body to its circle."""
    last = body.parts[-1] if isinstance(body, Column) and body.parts else body
    return DROP if isinstance(last, Note) else GAP


def _fork(part: Fork, room: Room) -> Sized:
    inner = tuple(_measure(branch, room) for branch in part.branches)
    axes, total = _side_by_side(inner, room.between)
    axis = _snapped(total // 2, axes)
    left, right = axis, total - axis
    axes = tuple(x - axis for x in axes)
    floor = GAP + max(s.height for s in inner)
    tops = tuple(floor - s.height for s in inner)
    if part.join is None:
        exits = tuple(axis + x for axis, s in zip(axes, inner, strict=True) for x in s.exits)
        return Sized(part, left, right, floor, inner, axes, tops, exits)
    bar = _box(part.join, room, 0)
    bar = replace(bar, left=max(bar.left, left), right=max(bar.right, right))
    return Sized(part, bar.left, bar.right, floor + GAP + bar.height, inner, axes, tops, join=bar)


def _side_by_side(inner: Sequence[Sized], between: int) -> tuple[tuple[int, ...], int]:
    """The axes of branches next to each other, from the left edge of the first, and their total width."""
    axes, x = [], 0
    for sized in inner:
        axes.append(x + sized.left)
        x += sized.left + sized.right + between
    return tuple(axes), x - between


def _snapped(axis: int, axes: Sequence[int]) -> int:
    near = min(axes, key=lambda x: (abs(x - axis), x))
    return near if abs(near - axis) <= SNAP else axis


def _residual(part: Residual, room: Room) -> Sized:
    body = _measure(part.body, room)
    head = 0 if starts_forked(part.body) else STUB + DROP
    height = head + body.height + gap_to_plus(part.body) + PLUS
    return Sized(part, body.left + SHORTCUT + LANE, body.right, height, (body,), (0,), (head,))


def _group(part: Group, room: Room) -> Sized:
    body = _measure(part.body, room)
    label = room_for(part.label, SMALL) + FRAME_PAD + LANE
    if room.turned:  # the label stands over the body
        along = max(body.height + 2 * FRAME_PAD, label)
        return Sized(part, body.left + FRAME_TOP, body.right + FRAME_PAD, along, (body,), (0,), (FRAME_PAD,))
    left, right = body.left + FRAME_PAD, body.right + FRAME_PAD
    if label > left:
        left, right = label, max(label, right)
    height = FRAME_TOP + body.height + FRAME_PAD
    return Sized(part, left, right, height, (body,), (0,), (FRAME_TOP,))


def _tap(part: Tap, room: Room) -> Sized:
    side = _measure(part.side, room)
    return Sized(part, side.left, side.right, DROP + side.height, (side,), (0,), (DROP,))


def _mesh(part: Mesh, room: Room) -> Sized:
    inner = []
    for step, reads in zip(part.parts, part.reads, strict=True):
        ports = PORT * (len(reads) + 1) if len(reads) > 1 else 0
        inner.append(_box(step, room, _even(ports)) if isinstance(step, Box) else _measure(step, room))
    plan = planned(inner, part.reads, Distances(LANE, room.between, STUB, DROP))
    return Sized(part, plan.left, plan.right, plan.height, tuple(inner), plan.axes, plan.tops, plan=plan)
