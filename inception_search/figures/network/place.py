"""Second pass of the layout, top down: every box, wire, frame and note gets integer coordinates.

Branches keep their order, every chain has one vertical axis, short branches end at their join, and wires are horizontal
or vertical. The result depends only on the drawing tree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar

from inception_search.figures.network.measure import (
    NOTE_DROP,
    NOTE_HEIGHT,
    NOTE_SHIFT,
    PLUS,
    SHORTCUT,
    STUB,
    Room,
    Sized,
    measured,
)
from inception_search.figures.network.tree import Box, Fork, Group, Mark, Mesh, Note, Part, Residual, Tap

NOTE_RISE = NOTE_HEIGHT // 2 + NOTE_DROP - NOTE_SHIFT  # from a note's place beside a wire to that above one
Point: TypeAlias = tuple[int, int]
Path: TypeAlias = tuple[Point, ...]
Move: TypeAlias = Callable[[int, int], Point]


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """A box with its left, top, width and height in px."""

    box: Box
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Plus:
    """The circle of a sum: its centre in px."""

    x: int
    y: int
    path: str
    mark: Mark = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """A labelled frame: left, top, width and height in px; its label is inside, where the flow enters."""

    label: str
    x: int
    y: int
    width: int
    height: int
    label_below: bool = False
    mark: Mark = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A note: the left end and the middle height of its line, in px."""

    text: str
    x: int
    y: int
    mark: Mark = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """A line of a title: the middle of its baseline in px and its type size in px."""

    text: str
    x: int
    y: int
    size: int


@dataclass(frozen=True, slots=True)
class Wire:
    """A line through ``points``, with alternating horizontal and vertical parts; ``arrow``: with a head at its end."""

    points: Path
    arrow: bool


@dataclass(slots=True)
class Placement:
    """A drawing with every part in its place, on a canvas of ``width`` by ``height`` px.

    ``axis`` is the position of its trunk in px from the left, if it runs down or up; titles are centred on it.
    """

    width: int
    height: int
    boxes: list[PlacedBox] = field(default_factory=list)
    pluses: list[Plus] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    axis: int | None = None

    def flipped(self) -> Placement:
        """The same drawing with the flow upwards, as in the papers."""
        flipped = self._moved(lambda x, y: (x, self.height - y), self.width, self.height)
        flipped.frames = [replace(frame, label_below=not frame.label_below) for frame in flipped.frames]
        flipped.axis = self.axis
        return flipped

    def turned(self) -> Placement:
        """The same drawing with the flow to the right: the size across the flow becomes its height."""
        return self._moved(lambda x, y: (y, x), self.height, self.width)

    def title_axis(self, room: int) -> int:
        """The middle of a title ``room`` px wide: at the trunk, or as close to it as the canvas allows."""
        half = min(room, self.width) // 2
        axis = self.width // 2 if self.axis is None else self.axis
        return max(half, min(axis, self.width - half))

    def include(self, other: Placement, dx: int, dy: int) -> None:
        """Add every part of ``other``, moved by ``dx`` and ``dy`` px; the canvas keeps its size."""
        moved = other._moved(lambda x, y: (x + dx, y + dy), other.width, other.height)
        self.boxes += moved.boxes
        self.pluses += moved.pluses
        self.frames += moved.frames
        self.texts += moved.texts
        self.wires += moved.wires
        self.headings += moved.headings

    def _moved(self, to: Move, width: int, height: int) -> Placement:
        """Every part with its points moved by ``to``, on a canvas of ``width`` by ``height`` px, without an axis.

        ``to`` keeps horizontal and vertical lines as they are, or swaps them.
        """
        return Placement(
            width,
            height,
            [_moved_area(box, to) for box in self.boxes],
            [_moved_point(plus, to) for plus in self.pluses],
            [_moved_area(frame, to) for frame in self.frames],
            [_moved_point(text, to) for text in self.texts],
            [replace(wire, points=tuple(to(x, y) for x, y in wire.points)) for wire in self.wires],
            [_moved_point(heading, to) for heading in self.headings],
        )


AreaT = TypeVar("AreaT", PlacedBox, Frame)
PointT = TypeVar("PointT", Plus, Text, Heading)


def _moved_area(part: AreaT, to: Move) -> AreaT:
    """``part`` between the moved positions of two opposite corners."""
    (x0, y0), (x1, y1) = to(part.x, part.y), to(part.x + part.width, part.y + part.height)
    return replace(part, x=min(x0, x1), y=min(y0, y1), width=abs(x1 - x0), height=abs(y1 - y0))


def _moved_point(part: PointT, to: Move) -> PointT:
    x, y = to(part.x, part.y)
    return replace(part, x=x, y=y)


def lay_out(part: Part, lines: int = 1, room: Room | None = None) -> Placement:
    """``part`` with the flow downwards, its left and top at 0; every box has room for at least ``lines``.

    With a turned ``room`` the flow runs to the right.
    """
    sized = measured(part, lines, room)
    placement = Placement(sized.left + sized.right, sized.height, axis=sized.left)
    ends = _place(sized, placement, [], sized.left, 0)
    placement.wires.extend(Wire(path, arrow=False) for path in map(_straight, ends) if len(path) > 1)
    if room is None or not room.turned:
        return placement
    placement.texts = [replace(t, x=t.x - NOTE_SHIFT - NOTE_HEIGHT // 2, y=t.y - NOTE_RISE) for t in placement.texts]
    return placement.turned()


def from_entry(part: Part, lines: int) -> tuple[Sized, Placement, list[Path]]:
    """``part`` with its axis and top at (0, 0), where a wire enters, and the paths that leave it."""
    sized = measured(part, lines)
    out = Placement(sized.left + sized.right, sized.height)
    return sized, out, _place(sized, out, [((0, 0),)], 0, 0)


def _place(sized: Sized, out: Placement, paths: Sequence[Path], x: int, y: int) -> list[Path]:
    """Put ``sized`` with its axis at ``x`` and its top at ``y``; ``paths`` run into it, returned ones out of it."""
    part = sized.part
    if isinstance(part, Box):
        return _place_box(part, sized, out, paths, x, y)
    if isinstance(part, Note):
        out.texts.append(Text(part.text, x + NOTE_SHIFT, y + NOTE_HEIGHT // 2 + NOTE_DROP, part.mark))
        return list(paths) or [((x, y),)]
    if isinstance(part, Fork):
        return _place_fork(sized, out, _entry(paths, x, y), x, y)
    if isinstance(part, Residual):
        return _place_residual(part, sized, out, _entry(paths, x, y), x, y)
    if isinstance(part, Mesh):
        return _place_mesh(part, sized, out, _entry(paths, x, y), x, y)
    if isinstance(part, Group):
        width = sized.left + sized.right
        out.frames.append(Frame(part.label, x - sized.left, y, width, sized.height, mark=part.mark))
        return _place(sized.inner[0], out, paths, x, y + sized.tops[0])
    if isinstance(part, Tap):
        return _place(sized.inner[0], out, paths, x, y + sized.tops[0])
    ends = list(paths)
    for inner, axis, top in zip(sized.inner, sized.axes, sized.tops, strict=True):
        if isinstance(inner.part, Tap):
            _place(inner, out, [((x, y + top), (x + axis, y + top))], x + axis, y + top)
            continue
        ends = _place(inner, out, ends, x + axis, y + top)
    return ends


def _entry(paths: Sequence[Path], x: int, y: int) -> Path:
    """The single path into a part that forks."""
    return paths[0] if paths else ((x, y),)


def _place_box(box: Box, sized: Sized, out: Placement, paths: Sequence[Path], x: int, y: int) -> list[Path]:
    out.boxes.append(PlacedBox(box, x - sized.left, y, sized.left + sized.right, sized.height))
    out.wires.extend(Wire(_straight((*path, (path[-1][0], y))), arrow=True) for path in paths)
    return [((x, y + sized.height),)]


def _place_fork(sized: Sized, out: Placement, path: Path, x: int, y: int) -> list[Path]:
    bus = y + STUB
    ends: list[Path] = []
    for inner, axis, top in zip(sized.inner, sized.axes, sized.tops, strict=True):
        ends.extend(_place(inner, out, [(*path, (x, bus), (x + axis, bus))], x + axis, y + top))
    if sized.join is None:
        return ends
    return _place(sized.join, out, ends, x, y + sized.height - sized.join.height)


def _place_residual(part: Residual, sized: Sized, out: Placement, path: Path, x: int, y: int) -> list[Path]:
    (body,), (head,) = sized.inner, sized.tops
    radius, fork = PLUS // 2, (x, y + STUB)
    lane, middle = x - body.left - SHORTCUT, y + sized.height - radius
    ends = _place(body, out, [(*path, fork) if head else path], x, y + head)
    shortcut = (*path, fork, (lane, fork[1]), (lane, middle), (x - radius, middle))
    out.wires.append(Wire(_straight(shortcut), arrow=True))
    out.wires.extend(Wire(_straight((*end, (x, middle - radius))), arrow=True) for end in ends)
    out.pluses.append(Plus(x, middle, part.path, part.mark))
    return [((x, middle + radius),)]


def _place_mesh(part: Mesh, sized: Sized, out: Placement, path: Path, x: int, y: int) -> list[Path]:
    assert sized.plan is not None
    ends: list[Path] = []
    places = zip(sized.inner, part.reads, sized.plan.routes, sized.axes, sized.tops, strict=True)
    for inner, reads, routes, axis, top in places:
        ways = [tuple((x + dx, y + dy) for dx, dy in route) for route in routes]
        starts = [path if source < 0 else ends[source] for source in reads]
        paths = [(*start, *way) for start, way in zip(starts, ways, strict=True)]
        ends += _place(inner, out, paths, x + axis, y + top)
    return ends[-1:]


def _straight(path: Path) -> Path:
    """``path`` without repeated points and without points inside a straight line."""
    kept: list[Point] = []
    for point in path:
        if kept and kept[-1] == point:
            continue
        if len(kept) > 1 and _in_line(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return tuple(kept)


def _in_line(a: Point, b: Point, c: Point) -> bool:
    return (a[0] == b[0] == c[0]) or (a[1] == b[1] == c[1])
