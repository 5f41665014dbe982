"""What every layout must keep: nothing overlaps, order and columns hold, wires meet what they join."""

from __future__ import annotations

import warnings
from itertools import combinations, pairwise

import pytest
from figure_samples import drawing_trees
from hypothesis import HealthCheck, given, settings
from picture_bounds import outside

import inception_search as ins
from inception_search.figures.network.measure import BOX_PAD_X, PLUS, SMALL, TEXT
from inception_search.figures.network.place import Placement, lay_out
from inception_search.figures.network.tree import Box, Column, Fork, Group, Mesh, Part, Residual, Tap, boxes
from inception_search.figures.type_metrics import room_for

Rect = tuple[int, int, int, int]  # left, top, right, bottom
checked = settings(suppress_health_check=list(HealthCheck))


def solids(drawing: Placement) -> list[Rect]:
    """The boxes and + circles."""
    radius = PLUS // 2
    rects = [(b.x, b.y, b.x + b.width, b.y + b.height) for b in drawing.boxes]
    return rects + [(p.x - radius, p.y - radius, p.x + radius, p.y + radius) for p in drawing.pluses]


def words(drawing: Placement) -> list[Rect]:
    """The room of the notes and frame labels."""
    notes = [(t.x, t.y - 5, t.x + room_for(t.text, SMALL), t.y + 4) for t in drawing.texts]
    labels = [
        (f.x + 12, f.y + 8, f.x + 12 + room_for(f.label, SMALL), f.y + 18) for f in drawing.frames if not f.label_below
    ]
    return notes + labels


def overlap(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@checked
@given(drawing_trees())
def test_nothing_overlaps_and_all_is_on_the_canvas(tree: Part) -> None:
    drawing = lay_out(tree)
    things = solids(drawing) + words(drawing)
    for a, b in combinations(things, 2):
        assert not overlap(a, b), (a, b)
    frames = [(f.x, f.y, f.x + f.width, f.y + f.height) for f in drawing.frames]
    for frame in frames:
        for other in things + frames:
            assert contains(frame, other) or contains(other, frame) or not overlap(frame, other)
    for left, top, right, bottom in things + frames:
        assert left >= 0
        assert top >= 0
        assert right <= drawing.width
        assert bottom <= drawing.height


def contains(a: Rect, b: Rect) -> bool:
    return a[0] <= b[0] and a[1] <= b[1] and b[2] <= a[2] and b[3] <= a[3]


@checked
@given(drawing_trees())
def test_every_label_fits_its_box(tree: Part) -> None:
    for placed in lay_out(tree).boxes:
        for index, line in enumerate(placed.box.lines):
            assert room_for(line, SMALL if index else TEXT) + 2 * BOX_PAD_X <= placed.width


@checked
@given(drawing_trees())
def test_branches_keep_their_order_and_columns_are_vertical(tree: Part) -> None:
    places = {b.box.path: b for b in lay_out(tree).boxes}
    assert len(places) == len(boxes(tree))

    def check(part: Part) -> None:
        if isinstance(part, Fork):
            spans = [[places[b.path] for b in boxes(branch)] for branch in part.branches]
            for left, right in pairwise([span for span in spans if span]):
                assert max(b.x + b.width for b in left) < min(b.x for b in right)
        if isinstance(part, Column):
            axes = {places[p.path].x + places[p.path].width // 2 for p in part.parts if isinstance(p, Box)}
            assert len(axes) <= 1
            tops = [places[p.path].y for p in part.parts if isinstance(p, Box)]
            assert tops == sorted(tops)
        for inner in inside(part):
            check(inner)

    check(tree)


@checked
@given(drawing_trees())
def test_wires_are_square_and_end_on_what_they_reach(tree: Part) -> None:
    drawing = lay_out(tree)
    rects, notes = solids(drawing), words(drawing)
    tops = {(rect[1], range(rect[0], rect[2] + 1)) for rect in rects}
    sides = {(p.x - PLUS // 2, p.y) for p in drawing.pluses}
    bottoms = [(rect[3], range(rect[0], rect[2] + 1)) for rect in rects]
    for wire in drawing.wires:
        for (x0, y0), (x1, y1) in pairwise(wire.points):
            assert (x0 == x1) != (y0 == y1)
            line = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
            assert not any(crosses(line, rect) for rect in rects + notes)
        end, start = wire.points[-1], wire.points[0]
        if wire.arrow:
            assert end in sides or any(y == end[1] and end[0] in xs for y, xs in tops)
        assert any(y == start[1] and start[0] in xs for y, xs in bottoms) or in_trunk(start, drawing)


def in_trunk(point: tuple[int, int], drawing: Placement) -> bool:
    """Whether a wire that starts here branches off another wire."""
    return any(
        x0 == x1 == point[0] and min(y0, y1) <= point[1] <= max(y0, y1)
        for wire in drawing.wires
        for (x0, y0), (x1, y1) in pairwise(wire.points)
    )


def crosses(line: Rect, rect: Rect) -> bool:
    """Whether a line runs through the inside of a rectangle."""
    return line[0] < rect[2] and rect[0] < line[2] and line[1] < rect[3] and rect[1] < line[3]


def inside(part: Part) -> tuple[Part, ...]:
    if isinstance(part, Column):
        return part.parts
    if isinstance(part, Fork):
        return part.branches
    if isinstance(part, Mesh):
        return part.parts
    if isinstance(part, Residual | Group):
        return (part.body,)
    return (part.side,) if isinstance(part, Tap) else ()


@checked
@given(drawing_trees())
def test_upwards_is_the_mirror_image(tree: Part) -> None:
    down = lay_out(tree)
    up = down.flipped()
    assert [(b.x, down.height - b.y - b.height) for b in down.boxes] == [(b.x, b.y) for b in up.boxes]
    assert up.flipped() == down


@pytest.mark.parametrize("width", [None, "240pt"])
@pytest.mark.parametrize("item", ["inception_v4", "inception_v1", "inception_v3.mixed_7b", "inception_v4.reduction_b"])
def test_a_title_stands_over_the_trunk(item: str, width: str | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some are taller than a page
        drawing = ins.draw(item, width=width).drawing
    first = drawing.boxes[0]
    assert [h.x for h in drawing.headings] == [first.x + first.width // 2] * len(drawing.headings)


def test_a_long_title_stands_as_near_to_the_trunk_as_the_drawing_is_wide() -> None:
    """The canvas is no wider for it."""
    short, long = (ins.draw("inception_v1", title=title) for title in ("v1", "Inception version 1, i.e. GoogLeNet"))
    assert short.width == long.width
    assert outside(long.svg) == []
    assert short.drawing.headings[0].x <= long.drawing.headings[0].x <= long.width // 2
