"""A dag in a figure: one box with a line for every node."""

from __future__ import annotations

import pytest

from inception_search.figures.draw import Style, draw
from inception_search.figures.module import ModuleTree
from inception_search.figures.parts import Box, boxes
from inception_search.spec.dag_words import LONGEST, dag_lines, dag_size
from inception_search.spec.document import parse, parse_network
from inception_search.spec.step import Dag

CELL = "{dag: [{inputs: [{node: 0, step: [relu, 3x3 16]}]}, {inputs: [0, {node: 1, step: max 3x3}], then: 1x1 16}, {join: concat, inputs: [1, {node: 2, step: zero}, 0], then: {narrow: 5}}]}"  # noqa: E501
LINES = (
    "3 nodes, 6 edges",
    "1 = [relu, 3x3 16] of 0",
    "2 = 0 + max 3x3 of 1; 1x1 16",
    "3 = concat(1, zero of 2, 0); {narrow: 5}",
)


def dag(text: str) -> Dag:
    step = parse(text)
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
    assert len(dag_lines(long)[1]) == LONGEST
    assert dag_lines(long)[1].endswith("…")


def test_a_dag_is_one_box_as_high_as_its_lines() -> None:
    (box,) = boxes(ModuleTree({}).step(parse(CELL), "cell"))
    assert (box.lines, box.slim, box.path) == (LINES, True, "cell")


@pytest.mark.parametrize("style", ["overview", "paper", "detail"])
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
    assert all(line in figure.svg for line in LINES)  # among the modules beside it, at least


def test_details_follow_the_nodes() -> None:
    figure = draw(parse(CELL), style="detail", input_shape=(16, 8, 8))
    assert " · ".join((*LINES, "8×8×5", "2.62 k params", "164 k MACs")) in figure.outline


def test_singles_have_boxes_of_their_own() -> None:
    found = [box for box in boxes(ModuleTree({}).step(parse("[zero, {narrow: 7}]"), "m")) if isinstance(box, Box)]
    assert [box.lines for box in found] == [("zeros",), ("first channels", "7")]
