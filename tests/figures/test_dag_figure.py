"""A dag in a figure: a box for every step, a + or a bar where values meet, the nodes in words beside it."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest

from inception_search.figures.draw import Style, draw
from inception_search.figures.network.module import ModuleTree
from inception_search.figures.network.tree import Box, Column, Group, Mesh, boxes
from inception_search.spec.documents.parse import parse_network, parse_step
from inception_search.spec.documents.to_yaml import LONGEST_LINE, dag_lines, dag_size
from inception_search.spec.step import Dag
from tests.shipped import shipped_space

CELL = "{dag: [{inputs: [{node: 0, step: [relu, 3x3 16]}]}, {inputs: [0, {node: 1, step: max 3x3}], then: 1x1 16}, {join: concat, inputs: [1, {node: 2, step: zero}, 0], then: {narrow: 5}}]}"  # noqa: E501
LINES = (
    "3 nodes, 6 edges",
    "1 = [relu, 3x3 16] of 0",
    "2 = 0 + max 3x3 of 1; 1x1 16",
    "3 = concat(1, zero of 2, 0); {narrow: 5}",
)


def dag(text: str) -> Dag:
    step = parse_step(text)
    assert isinstance(step, Dag)
    return step


def test_lines_say_what_every_node_is() -> None:
    assert dag_lines(dag(CELL)) == LINES
    assert dag_lines(dag("{dag: [{join: concat, inputs: [0], then: [relu, 2 x norm]}]}")) == (
        "1 node, 1 edge",
        "1 = 0; [relu, 2 x norm]",
    )


def test_long_lines_are_cut_short() -> None:
    long = dag("{dag: [{inputs: [" + ", ".join(["{node: 0, step: 3x3 64 s2 valid}"] * 8) + "]}]}")
    assert dag_size(long) == "1 node, 8 edges"
    assert len(dag_lines(long)[1]) == LONGEST_LINE
    assert dag_lines(long)[1].endswith("…")


def test_steps_are_boxes_and_joins_stand_between_them() -> None:
    part = ModuleTree({}).step(parse_step(CELL), "cell")
    assert isinstance(part, Group)
    assert part.label == "3 nodes, 6 edges"
    assert isinstance(part.body, Mesh)
    assert [box.lines[0] for box in boxes(part)] == [
        *("ReLU", "3×3 conv", "3×3 max pool", "+", "1×1 conv", "zeros", "Filter concat", "first channels")
    ]
    assert part.body.reads == ((-1,), (0,), (1,), (-1, 2), (3,), (4,), (1, 5, -1), (6,))
    assert "cell.nodes.1.add" in [box.path for box in boxes(part)]


def test_zeros_that_a_sum_gets_are_not_drawn_but_told() -> None:
    cell = "{dag: [3x3 8, {inputs: [{node: 0, step: zero}, {node: 1, step: [relu, zero]}, {node: 1, step: 1x1 8}]}]}"
    part = ModuleTree({}).step(parse_step(cell.replace("[3x3 8,", "[{inputs: [{node: 0, step: 3x3 8}]},")), "cell")
    assert isinstance(part, Group)
    assert part.label == "2 nodes, 4 edges (2 zero, not drawn)"
    assert isinstance(part.body, Column)
    assert [box.lines[0] for box in boxes(part)] == ["3×3 conv", "1×1 conv"]
    nothing = ModuleTree({}).step(
        parse_step("{dag: [{inputs: [{node: 0, step: zero}, {node: 0, step: zero}]}]}"), "cell"
    )
    assert [box.lines[0] for box in boxes(nothing)] == ["zeros"]


def test_no_wire_crosses_a_box_and_no_two_run_in_one_line() -> None:
    space = shipped_space("nas_bench_101")
    for seed in range(12):
        network, _ = space.draw(seed)
        drawing = draw(network.stages["stack_1"], network=network).drawing
        uprights = []
        for wire in drawing.wires:
            for (x0, y0), (x1, y1) in pairwise(wire.points):
                low, high = sorted((y0, y1))
                for box in drawing.boxes:
                    inside = box.x < max(x0, x1) and min(x0, x1) < box.x + box.width
                    assert not (inside and box.y < high and low < box.y + box.height), (seed, wire, box)
                if x0 == x1:
                    uprights.append((x0, low, high, wire.points[0]))
        for (x, low, high, start), (u, lower, higher, other) in combinations(uprights, 2):
            if start != other and x == u:
                assert high <= lower or higher <= low, (seed, x)


@pytest.mark.parametrize("style", ["overview", "plain", "paper", "detail"])
def test_a_network_with_dags_is_drawn(style: Style) -> None:
    network = parse_network(
        "schema: inception-search/network\nversion: 1\nname: n\ninput: 16x8x8\n"
        f"blocks: {{cell: {CELL}}}\n"
        f"stages: {{a: zero, b: cell, c: [{{narrow: 3}}, 1x1 16, cell], "
        f"d: [1x1 16, {CELL.replace('max 3x3', 'avg 3x3')}]}}\n"
    )
    figure = draw(network, style=style, blocks=True)
    expected = "cell" if style == "overview" else LINES[3]
    assert expected in figure.outline
    assert LINES[0] in figure.svg  # among the modules beside it, at least


def test_details_are_in_the_boxes() -> None:
    figure = draw(parse_step(CELL), style="detail", input_shape=(16, 8, 8))
    lines = [placed.box.lines for placed in figure.drawing.boxes]
    assert ("+", "16×8×8") in lines
    assert ("3×3 conv", "16×8×8", "2.34 k params", "147 k MACs") in lines


def test_singles_have_boxes_of_their_own() -> None:
    found = [box for box in boxes(ModuleTree({}).step(parse_step("[zero, {narrow: 7}]"), "m")) if isinstance(box, Box)]
    assert [box.lines for box in found] == [("zeros",), ("first channels", "7")]
