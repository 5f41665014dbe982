# ruff: noqa: E501 (tables: one row a line)
"""Dags: what is written, refused, transformed, lowered and counted."""

from __future__ import annotations

from typing import Any

import pytest

from inception_search.errors import ShapeError, SpecError
from inception_search.estimate import estimate
from inception_search.lowering import lower
from inception_search.spec.documents.parse import parse_network, parse_step, step_from_data
from inception_search.spec.documents.to_yaml import text
from inception_search.spec.limits import MAX_DAG_INPUTS, MAX_DAG_NODES, MAX_UNROLLED_STEPS
from inception_search.spec.network import Network
from inception_search.spec.stem import set_stem_stride, stem_stages, stem_stride
from inception_search.spec.step import Conv, Dag, DagInput, DagNode, Identity, Narrow, Pool, Zero, children
from inception_search.spec.transform import map_convs, scale_width, set_depth

HEAD = "schema: inception-search/network\nversion: 1\nname: n\ninput: 8x9x9\nhead: {classes: 3}\nstages:\n  a:\n"
CELL = """dag:
- inputs:
  - node: 0
    step: [relu, 3x3 8]
- inputs:
  - 0
  - {node: 1, step: max 3x3}
  then: 1x1 8
- join: concat
  inputs:
  - 1
  - {node: 2, step: zero}
  - 0
  then: {narrow: 5}
"""


def net(step: str) -> Network:
    return parse_network(f"{HEAD}    {step}\n")


def test_short_and_long_forms_are_one_dag() -> None:
    dag = Dag(
        nodes=(
            DagNode(inputs=(DagInput(node=0, step=parse_step("[relu, 3x3 8]")),)),
            DagNode(
                inputs=(DagInput(node=0), DagInput(node=1, step=Pool(mode="max"))), then=Conv(kernel=(1, 1), width=8)
            ),
            DagNode(
                join="concat",
                inputs=(DagInput(node=1), DagInput(node=2, step=Zero()), DagInput(node=0)),
                then=Narrow(width=5),
            ),
        )
    )
    assert parse_step(CELL) == dag
    assert text(dag) == CELL
    assert parse_step(str(dag.to_dict())) == dag
    assert parse_step(
        "{kind: dag, nodes: [{inputs: [{node: 0, step: identity}], join: add, then: {chain: [1x1 8]}}]}"
    ) == Dag(nodes=(DagNode(inputs=(DagInput(node=0),), then=Conv(kernel=(1, 1), width=8)),))


def test_steps_inside_are_tidied() -> None:
    inner = parse_step("{dag: [{inputs: [{node: 0, step: [identity, [relu, norm]]}], then: {concat: [relu, absent]}}]}")
    assert inner == parse_step("{dag: [{inputs: [{node: 0, step: [relu, norm]}], then: relu}]}")


def test_the_children_of_a_dag_are_its_edges_and_what_follows_its_joins() -> None:
    assert [".".join(map(str, place)) for place, _ in children(parse_step(CELL))] == [
        "nodes.0.inputs.0.step",
        "nodes.0.then",
        "nodes.1.inputs.0.step",
        "nodes.1.inputs.1.step",
        "nodes.1.then",
        "nodes.2.inputs.0.step",
        "nodes.2.inputs.1.step",
        "nodes.2.inputs.2.step",
        "nodes.2.then",
    ]


# The nodes of a dag, from line 9 on; the words of the error, its line, its path.
REFUSED: list[tuple[str, str, int, str]] = [
    ("- inputs: [1]", "node 1 reads node 1; a node reads earlier ones, 0 .the input. to 0", 9, "a.nodes.0.inputs.0"),
    ("- inputs: [0]\n    - inputs:\n      - 0\n      - 3", "node 2 reads node 3; a node reads earlier ones, 0 .the input. to 1", 12, "a.nodes.1.inputs.1"),
    ("- inputs: [0]\n    - inputs: [0]", "node 1 does not reach the output, node 2; read it, or leave it out", 9, "a.nodes.0"),
    ("- inputs: []", "too few inputs, got 0; expected at least 1", 9, "a.nodes.0.inputs"),
    ("- 0", "expected fields", 9, "a.nodes.0"),
    ("- inputs: 0", "not a usable value, got 0", 9, "a.nodes.0.inputs"),
    ("- inputs: [x]", "got 'x'; expected fields", 9, "a.nodes.0.inputs.0"),
    ("- inputs: [{node: x}]", "got 'x'; expected an integer", 9, "a.nodes.0.inputs.0.node"),
    ("- inputs: [{node: true}]", "got True; expected an integer", 9, "a.nodes.0.inputs.0.node"),
    ("- inputs: [{node: -1}]", "got -1; expected greater than or equal to 0", 9, "a.nodes.0.inputs.0.node"),
    ("- inputs: [{step: relu}]", "field 'node' is missing", 9, "a.nodes.0.inputs.0.node"),
    ("- inputs:\n      - node: 0\n        stpe: relu", "unknown field, got 'stpe'; expected one of node, step; did you mean 'step'", 11, "a.nodes.0.inputs.0.stpe"),
    ("- inputs: [0]\n      thn: relu", "unknown field, got 'thn'; expected one of join, inputs, then; did you mean 'then'", 10, "a.nodes.0.thn"),
    ("- inputs: [0]\n      join: mul", "expected 'add' or 'concat'", 10, "a.nodes.0.join"),
    ("- inputs: [0]\n      then: [1x1 8, {conv: {kernel: 1, width: wide}}]", "got 'wide'; expected an integer", 10, "a.nodes.0.then.1.width"),
    ("- inputs: [0]\n      then: 3x3", "a convolution needs its width", 10, "a.nodes.0.then"),
    ("- inputs:\n      - {node: 0, step: 3x3}", "a convolution needs its width", 10, "a.nodes.0.inputs.0.step"),
    ("- inputs: [{node: 0, step: absent}]", "cannot hold 'absent'; leave the input out, or write zero", 9, "a.nodes.0.inputs.0.step"),
    ("- inputs: [{node: 0, step: {concat: [absent, absent]}}]", "cannot hold 'absent'", 9, "a.nodes.0.inputs.0.step"),
    ("- inputs: [0]\n      then: absent", "cannot hold 'absent'; write identity", 10, "a.nodes.0.then"),
    ("- inputs: [{node: 0, step: nowhere}]", "unknown block 'nowhere'", 9, "a.nodes.0.inputs.0.step"),
    (f"- inputs: [{', '.join('0' * (MAX_DAG_INPUTS + 1))}]", f"too many inputs, got {MAX_DAG_INPUTS + 1}; expected at most {MAX_DAG_INPUTS}", 9, "a.nodes.0.inputs"),
    ("\n    ".join(["- inputs: [0]"] * (MAX_DAG_NODES + 1)), f"too many nodes, got {MAX_DAG_NODES + 1}; expected at most {MAX_DAG_NODES}; put a part of it", 7, "a.nodes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("nodes", "words", "line", "path"), REFUSED, ids=[f"{row[3]} {row[1][:25]}" for row in REFUSED]
)
def test_a_wrong_dag_is_refused_with_its_place(nodes: str, words: str, line: int, path: str) -> None:
    with pytest.raises(SpecError, match=words) as caught:
        net(f"dag:\n    {nodes}")
    assert (caught.value.place.line, caught.value.place.path) == (line, path)


def test_what_is_no_list_of_nodes_is_refused() -> None:
    with pytest.raises(SpecError, match=r"a\.nodes: dag takes a list, got 3"):
        net("dag: 3")
    with pytest.raises(SpecError, match="too few nodes, got 0; expected at least 1"):
        net("dag: []")


def test_the_same_rules_hold_for_values_made_in_python() -> None:
    with pytest.raises(ValueError, match="node 1 does not reach the output"):
        Dag(nodes=(DagNode(inputs=(DagInput(node=0),)),) * 2)
    with pytest.raises(SpecError, match="node 1 reads node 1"):
        parse_step("{dag: [{inputs: [1]}]}")


# The nodes of a dag on 8x9x9, the words of the error, its line, its path in the graph.
MISFITS: list[tuple[str, str, int, str]] = [
    ("- inputs: [0]\n    - inputs: [0, {node: 1, step: 1x1 4}]", r"a sum needs equal shapes, got '8x9x9 \+ 4x9x9'", 10, "a.nodes.1.add"),
    ("- inputs: [0]\n    - join: concat\n      inputs: [0, {node: 1, step: max 3x3 s2}]", "one map size", 10, "a.nodes.1.concat"),
    ("- inputs: [0]\n      then:\n      - relu\n      - {narrow: 9}", "narrow needs channels that the input does not have.*the first 9 of 8", 12, "a.nodes.0.then.1"),
    ("- inputs:\n      - 0\n      - {node: 0, step: 11x11 8 valid}", "larger than its 9x9 map", 11, "a.nodes.0.inputs.1.step.conv"),
]  # fmt: skip


@pytest.mark.parametrize(("nodes", "words", "line", "path"), MISFITS, ids=[row[3] for row in MISFITS])
def test_shapes_that_do_not_fit_are_named_with_their_place(nodes: str, words: str, line: int, path: str) -> None:
    network = net(f"dag:\n    {nodes}")
    for act in (lower, estimate):
        with pytest.raises(ShapeError, match=words) as caught:
            act(network)
        assert (caught.value.place.line, caught.value.place.path) == (line, path)


def test_modules_are_named_after_places_of_the_document() -> None:
    network = parse_network(HEAD + "    " + CELL.replace("\n", "\n    "))
    assert [f"{node.path} {node.inputs}" for node in lower(network).nodes if node.path.startswith("a.")] == [
        "a.nodes.0.inputs.0.step.0 (0,)",
        "a.nodes.0.inputs.0.step.1.conv (1,)",
        "a.nodes.0.inputs.0.step.1.norm (2,)",
        "a.nodes.0.inputs.0.step.1.act (3,)",
        "a.nodes.1.inputs.1.step (4,)",
        "a.nodes.1.add (0, 5)",
        "a.nodes.1.then.conv (6,)",
        "a.nodes.1.then.norm (7,)",
        "a.nodes.1.then.act (8,)",
        "a.nodes.2.inputs.1.step (9,)",
        "a.nodes.2.concat (4, 10, 0)",
        "a.nodes.2.then (11,)",
    ]


# A dag on 8x9x9, parameters, MACs, depth: counted by hand.
COSTS = [
    ("{dag: [{inputs: [{node: 0, step: 3x3 4}]}, {inputs: [{node: 1, step: 1x1 4}, 1]}]}", 72 * 4 + 8 + 16 + 8, (72 * 4 + 16) * 81, 2),
    # the longest way: 0 - 1 - 2 with three convolutions, not the four of all edges
    ("{dag: [{inputs: [{node: 0, step: 1x1 8}]}, {inputs: [{node: 0, step: 1x1 8}, {node: 1, step: 1x1 8}], then: 1x1 8}]}", 4 * (64 + 16), 4 * 64 * 81, 3),
    ("{dag: [{inputs: [{node: 0, step: zero}]}, {join: concat, inputs: [0, 1, 1], then: {narrow: 7}}]}", 0, 0, 0),
]  # fmt: skip


@pytest.mark.parametrize(("step", "params", "macs", "depth"), COSTS, ids=[row[0] for row in COSTS])
def test_costs(step: str, params: int, macs: int, depth: int) -> None:
    network = parse_network(f"{HEAD.replace('classes: 3', 'classifier: none')}    {step}\n")
    cost = lower(network).cost()
    assert (cost.params, cost.macs, cost.depth) == (params, macs, depth)
    assert estimate(network) == cost


def test_a_large_dag_is_refused_before_it_is_written_out() -> None:
    dag = "{dag: [{inputs: [0, 0, 0, 0, 0, 0, 0, 0, 0]}]}"  # ten steps
    whole = f"{{repeat: {{times: 1000, body: {dag}}}}}"
    assert len(lower(net(dag)).nodes) == 5
    parse_network(f"{HEAD}    {whole}\n")
    with pytest.raises(SpecError, match=f"{MAX_UNROLLED_STEPS + 10} steps when written out"):
        parse_network(f"{HEAD}    [{whole}, {dag}]\n")
    deep: Any = "relu"
    for _ in range(70):
        deep = {"dag": [{"inputs": [0], "then": deep}]}
    with pytest.raises(SpecError, match="steps are nested more than 64 deep"):
        step_from_data(deep)


def test_transforms_reach_into_a_dag() -> None:
    dag = parse_step(
        "{dag: [{inputs: [{node: 0, step: 3x3 8}], then: {narrow: 7}}, {inputs: [1, 1], then: 2 x 1x1 16}]}"
    )
    assert scale_width(dag, 2) == parse_step(
        "{dag: [{inputs: [{node: 0, step: 3x3 16}], then: {narrow: 16}}, {inputs: [1, 1], then: 2 x 1x1 32}]}"
    )
    assert map_convs(dag, lambda conv: Identity() if conv.width == 8 else conv) == parse_step(
        "{dag: [{inputs: [0], then: {narrow: 7}}, {inputs: [1, 1], then: 2 x 1x1 16}]}"
    )
    deeper = set_depth(net("{dag: [{inputs: [0], then: 2 x 1x1 16}]}"), 2.0)
    assert deeper.stages["a"] == parse_step("{dag: [{inputs: [0], then: 4 x 1x1 16}]}")


def test_a_stem_ends_before_a_dag_and_one_that_is_a_dag_can_lose_its_stride() -> None:
    text_ = "schema: inception-search/network\nversion: 1\nname: n\nstages: {a: 3x3 8 s2, b: {dag: [{inputs: [0]}]}, c: relu}"
    assert stem_stages(parse_network(text_)) == ("a",)
    dag = "{dag: [{inputs: [{node: 0, step: 3x3 8 s2}]}, {inputs: [{node: 1, step: 1x1 8 s2}, {node: 0, step: [max 3x3 s2, max 3x3 s2]}], then: 3x3 8 s2}]}"
    network = parse_network(
        f"schema: inception-search/network\nversion: 1\nname: n\ninput: 8x32x32\nstages: {{stem: {dag}}}"
    )
    assert stem_stride(network) == 8
    small = set_stem_stride(network, 1)
    assert small.stages["stem"] == parse_step(dag.replace(" s2", ""))
    assert lower(small).cost().params == lower(network).cost().params
