# ruff: noqa: E501 (tables: one row a line)
"""Building, checking, printing, comparing and costing graphs."""

from __future__ import annotations

import re
from collections.abc import Callable

import networkx
import pytest
from hypothesis import given

import inception_search as ins
from inception_search.canonical.catalogue import load, names
from inception_search.errors import DocumentError, InceptionSearchError, ShapeError
from inception_search.graph import ops
from inception_search.graph.cost_table import cost_table
from inception_search.graph.graph import Graph, GraphBuilder, Node
from inception_search.graph.to_networkx import to_networkx
from inception_search.graph.types import FeatureMap, Vector
from inception_search.lowering import lower
from inception_search.spec.documents.parse import parse_network
from inception_search.spec.network import Network
from tests.generators import networks
from tests.graph_checks import parse_graph, verify


def small() -> Graph:
    """Two branches of an image, a classifier, and an auxiliary classifier on the first branch."""
    build = GraphBuilder()
    x = build.add(ops.Input((3, 8, 8)), (), "input")
    a = build.add(ops.Conv(4, (1, 1), bias=True), (x,), "a.conv")
    b = build.add(ops.Conv(6, (3, 3), padding=(1, 1)), (x,), "b.conv")
    n = build.add(ops.BatchNorm(), (b,), "b.norm")
    c = build.add(ops.Concat(), (a, n), "concat")
    p = build.add(ops.GlobalPool(), (c,), "head.pool")
    f = build.add(ops.Flatten(), (p,), "head.flatten")
    y = build.add(ops.Linear(5), (f,), "head.classifier")
    g = build.add(ops.Flatten(), (a,), "aux.flatten")
    z = build.add(ops.Linear(5), (g,), "aux.classifier")
    return build.build(y, z)


# What is added after one image node, the words of the refusal.
BAD_NODES: list[tuple[Callable[[GraphBuilder], object], str]] = [
    (lambda b: b.add(ops.Conv(4, (1, 1)), (), "y"), "y: conv reads 0 values; expected 1"),
    (lambda b: b.add(ops.Conv(4, (1, 1)), (0, 0), "y"), "y: conv reads 2 values; expected 1"),
    (lambda b: b.add(ops.Add(), (0,), "y"), "y: add reads 1 values; expected two or more"),
    (lambda b: b.add(ops.Concat(), (0,), "y"), "y: concat reads 1 values; expected two or more"),
    (lambda b: b.add(ops.Input((3, 8, 8)), (0,), "y"), "y: input reads 1 values; expected 0"),
    (lambda b: b.add(ops.Act(), (0,), "input"), "input: two nodes with one path; give every node its own path"),
    (lambda b: b.add(ops.Act(), (1,), "y"), r"y: a node reads a node that does not exist yet, got \(1,\)"),
    (lambda b: b.add(ops.Act(), (-1,), "y"), "y: a node reads a node that does not exist yet"),
    (lambda b: b.add(ops.Conv(4, (9, 9)), (0,), "y"), "y: the conv kernel 9x9 is larger than its 8x8 map"),
    (lambda b: b.build(), "the outputs are not nodes"),
    (lambda b: b.build(1), "the outputs are not nodes"),
    (lambda b: b.build(-1), "the outputs are not nodes"),
]


@pytest.mark.parametrize(("add", "words"), BAD_NODES, ids=[row[1] for row in BAD_NODES])
def test_the_builder_refuses(add: Callable[[GraphBuilder], object], words: str) -> None:
    build = GraphBuilder()
    build.add(ops.Input((3, 8, 8)), (), "input")
    with pytest.raises(ShapeError, match=words):
        add(build)
    assert build.add(ops.Act(), (0,), "still works") == 1


def changed(graph: Graph, index: int, **parts: object) -> Graph:
    nodes = list(graph.nodes)
    nodes[index] = nodes[index]._replace(**parts)
    return Graph(tuple(nodes), graph.outputs)


class Foreign(ops.Act):
    """An op that is not in the table."""

    name = "foreign"


# How a sound graph is spoilt, the words of the complaint.
CORRUPTIONS: list[tuple[Callable[[Graph], Graph], str]] = [
    (lambda g: changed(g, 3, type=FeatureMap(7, 8, 8)), "b.norm: a node's type is not what its op infers.*7x8x8.*expected 6x8x8"),
    (lambda g: changed(g, 6, type=FeatureMap(10, 1, 1)), "head.flatten: a node's type is not"),  # a map, not a vector
    (lambda g: changed(g, 2, op=ops.Conv(7, (3, 3))), "b.conv: a node's type is not"),
    (lambda g: changed(g, 1, inputs=(2,)), "a.conv: a node reads a later node"),
    (lambda g: changed(g, 1, inputs=(1,)), "a.conv: a node reads a later node"),  # a cycle
    (lambda g: changed(g, 1, inputs=(-1,)), "a.conv: a node reads a later node"),
    (lambda g: changed(g, 1, inputs=(99,)), "a.conv: a node reads a later node"),
    (lambda g: changed(g, 4, inputs=(1,)), "concat: concat reads 1 values"),
    (lambda g: changed(g, 3, path="a.conv"), "a.conv: two nodes with one path"),
    (lambda g: changed(g, 3, op=Foreign()), "b.norm: unknown op"),
    (lambda g: changed(g, 3, op="batch_norm"), "b.norm: unknown op"),
    (lambda g: changed(g, 7, op=ops.Linear(5), inputs=(5,)), "head.classifier: a linear layer needs a vector"),
    (lambda g: Graph(g.nodes, ()), "the outputs are not nodes"),
    (lambda g: Graph(g.nodes, (10,)), "the outputs are not nodes"),
    (lambda g: Graph(g.nodes, (-1,)), "the outputs are not nodes"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "words"), CORRUPTIONS, ids=[str(i) for i in range(len(CORRUPTIONS))])
def test_verify_finds_what_is_wrong(spoil: Callable[[Graph], Graph], words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        verify(spoil(small()))


def test_verify_returns_a_sound_graph() -> None:
    graph = small()
    assert verify(graph) is graph


@given(networks())
def test_lowered_networks_verify_and_read_back_from_their_text(network: Network) -> None:
    graph = lower(network)
    assert verify(graph) is graph
    again = parse_graph(str(graph))
    assert again == graph
    assert hash(again) == hash(graph)


@pytest.mark.parametrize("name", names())
def test_canonical_networks_verify_and_read_back_from_their_text(name: str) -> None:
    graph = lower(load(name))
    assert parse_graph(str(verify(graph))) == graph


def test_the_text_of_a_graph() -> None:
    lines = str(small()).splitlines()
    assert lines[0] == "%0 input = input(shape=(3, 8, 8)) : 3x8x8"
    assert lines[1] == "%1 a.conv = conv(%0, width=4, kernel=(1, 1), bias=True) : 4x8x8"
    assert lines[4] == "%4 concat = concat(%1, %3) : 10x8x8"
    assert lines[7] == "%7 head.classifier = linear(%6, width=5) : 5"
    assert lines[-1] == "return %7, %9"


# Text, words of the refusal.
BAD_TEXTS = [
    ("", "no return line"),
    ("%0 input = input(shape=(3, 8, 8)) : 3x8x8", "no return line"),
    ("nonsense\nreturn %0", "line 1: not a node, got 'nonsense'"),
    ("%0 input = imput(shape=(3, 8, 8)) : 3x8x8\nreturn %0", "unknown op, got 'imput'; did you mean 'input'"),
    ("%0 input = input(shape=(3, 8, 8), size=3) : 3x8x8\nreturn %0", "line 1: input: .*unexpected keyword"),
    ("%0 input = input(shape=open) : 3x8x8\nreturn %0", "line 1: not a value"),
    ("%0 input = input(shape=(3, 8, 8)) : 3x8x9\nreturn %0", "does not say what its op infers"),
    ("%1 input = input(shape=(3, 8, 8)) : 3x8x8\nreturn %1", "does not say what its op infers"),
    ("%0 input = input(shape=(3, 8, 8)) : 3x8x8\n%1 a = act(%7) : 3x8x8\nreturn %1", "not exist yet"),
    ("%0 input = input(shape=(3, 8, 8)) : 3x8x8\nreturn %3", "the outputs are not nodes"),
    ("%0 input = input(shape=(3, 8, 8)) : 3x8x8\nreturn zero", "not a node reference"),
]


@pytest.mark.parametrize(("text", "words"), BAD_TEXTS, ids=[row[1] for row in BAD_TEXTS])
def test_text_that_is_no_graph_is_refused(text: str, words: str) -> None:
    with pytest.raises((DocumentError, ShapeError), match=words) as caught:
        parse_graph(text)
    assert isinstance(caught.value, InceptionSearchError)


def test_graphs_compare_by_computation_and_weight_keys() -> None:
    graph = small()
    assert graph == small()
    assert hash(graph) == hash(small())
    assert graph != changed(graph, 1, path="renamed.conv")  # other weight keys
    assert graph != Graph(graph.nodes, graph.outputs[:1])
    head = "schema: inception-search/network\nversion: 1\nname: {}\ninput: 3x8x8\nstages: {{a: {}}}\n"
    one, other = (parse_network(head.format(name, "[3x3 8, 1x1 4]")) for name in ("one", "other"))
    assert lower(one) == lower(other)  # the name is no computation
    assert lower(one) != lower(parse_network(head.format("one", "[3x3 8, 1x1 5]")))


def test_the_main_part_leaves_auxiliary_classifiers_out() -> None:
    assert small().main() == frozenset(range(8))


def test_the_cost_of_a_small_graph_worked_out_by_hand() -> None:
    cost = small().cost()
    # a: 3*4 + 4, b: 3*6*9, norm: 2*6, classifier: 10*5 + 5
    assert cost.params == 16 + 162 + 12 + 55
    assert cost.macs == 12 * 64 + 162 * 64 + 50
    # image, a, b, norm, concat, pooled, flattened, logits; four bytes each
    assert cost.activation_bytes == 4 * (192 + 256 + 384 + 384 + 640 + 10 + 10 + 5)
    assert cost.depth == 2  # one convolution and the classifier; branches do not add up
    assert (cost.aux_params, cost.aux_macs) == (256 * 5 + 5, 256 * 5)
    assert cost.params_with_aux == cost.params + cost.aux_params
    assert cost.to_dict() == {"params": 245, "macs": 11186, "activation_bytes": 7524, "depth": 2}


def test_what_both_classifiers_read_counts_as_main() -> None:
    head = "schema: inception-search/network\nversion: 1\nname: n\ninput: 3x8x8\nconv_defaults: {norm: none}\n"
    network = parse_network(
        head + "stages: {a: 1x1 4, b: 1x1 5}\nhead: {classes: 2}\naux: {x: {after: a, pool: avg}}\n"
    )
    with_aux, without = lower(network).cost(), lower(network, aux=False).cost()
    assert (with_aux.params, with_aux.macs) == (without.params, without.macs)
    assert (with_aux.aux_params, without.aux_params) == (4 * 2 + 2, 0)
    assert with_aux.depth == without.depth == 3


@given(networks())
def test_cost_tables_add_up_at_every_depth(network: Network) -> None:
    graph = lower(network)
    cost = graph.cost()
    for depth in (1, 2, 3, None):
        rows = cost_table(graph, depth)
        assert sum(row.params for row in rows) == cost.params_with_aux
        assert sum(row.macs for row in rows) == cost.macs + cost.aux_macs
        assert len({row.path for row in rows}) == len(rows)
    assert len(cost_table(graph, None)) == len(graph.nodes)


def test_cost_table_rows_are_the_stages_of_the_document() -> None:
    rows = cost_table(lower(load("inception_v4")))
    assert [row.path for row in rows] == ["input", *load("inception_v4").stages, "head"]
    assert str(rows[-2].type) == "1536x8x8"
    assert rows[1].ops == "conv+batch_norm+act+pool+concat"


def test_to_networkx_has_paths_with_ops_shapes_and_costs() -> None:
    graph = small()
    found = to_networkx(graph)
    assert list(found) == [node.path for node in graph.nodes]
    conv = {"op": "conv", "attributes": graph.nodes[1].op.attributes(), "path": "a.conv", "shape": (4, 8, 8)}
    cost = cost_table(graph, None)[1]
    assert found.nodes["a.conv"] == {**conv, "params": cost.params, "macs": cost.macs}
    joined = [found.edges[graph.nodes[source].path, graph.nodes[4].path, 0] for source in (1, 3)]
    assert joined == [{"shape": (4, 8, 8), "position": 0}, {"shape": tuple(graph.nodes[3].type), "position": 1}]
    assert set(found.predecessors("input")) == set()
    assert found.graph == {"name": "", "outputs": tuple(graph.nodes[index].path for index in graph.outputs)}


@given(networks())
def test_to_networkx_loses_neither_a_node_nor_an_edge_nor_a_cost(network: Network) -> None:
    graph, found = lower(network), ins.to_networkx(network)
    sources = {path: [] for path in found}
    for source, target, data in sorted(found.edges(data=True), key=lambda edge: edge[2]["position"]):
        assert data["shape"] == found.nodes[source]["shape"]
        sources[target].append(source)
    for node in graph.nodes:
        assert sources[node.path] == [graph.nodes[index].path for index in node.inputs]
    assert networkx.is_directed_acyclic_graph(found)
    assert sum(found.nodes[path]["params"] for path in found) == graph.cost().params_with_aux
    assert networkx.utils.graphs_equal(found, to_networkx(graph, network.name))


def test_to_networkx_takes_names_of_networks_and_of_modules_and_graphs() -> None:
    net = load("inception_v3@torchvision")
    whole = ins.to_networkx(net)
    assert networkx.utils.graphs_equal(whole, ins.to_networkx("inception_v3@torchvision"))
    assert len(ins.to_networkx(net, aux=False)) < len(whole) == len(ins.to_networkx(ins.lower(net)))
    assert (len(whole.graph["outputs"]), whole.name) == (2, "inception_v3@torchvision")
    cell = ins.to_networkx("inception_v4.inception_a")
    assert (cell.name, cell.nodes["input"]["shape"]) == ("inception_v4.inception_a", (384, 35, 35))


def test_types_print_as_shapes() -> None:
    assert str(FeatureMap(3, 4, 5)) == "3x4x5"
    assert FeatureMap(3, 4, 5).numel == 60
    assert (str(Vector(7)), Vector(7).numel) == ("7", 7)
    assert Node(ops.Act(), (0,), Vector(7), "x").path == "x"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%1 a = conv(%0, width=4, kernel=3) : 4x8x8", "conv: "),  # a kernel is a pair
        ("%1 a = conv(%0, width=4, kernel=(3, 3), stride=(0, 0)) : 4x8x8", "conv: "),
        ("%1 a = conv(%0, width=4, kernel=(3, 3), groups=0) : 4x8x8", "conv: "),
        ("%1 a = conv(%0, width=[4], kernel=(3, 3)) : 4x8x8", "unhashable"),
        ("%1 a = act(%0, kind='zzz') : 3x8x8", "unknown activation 'zzz'"),
    ],
)
def test_text_with_impossible_attributes_is_refused(line: str, words: str) -> None:
    with pytest.raises(DocumentError, match=re.escape(words)):
        parse_graph(f"%0 input = input(shape=(3, 8, 8)) : 3x8x8\n{line}\nreturn %1")


def test_a_value_read_twice_has_two_edges() -> None:
    builder = GraphBuilder()
    x = builder.add(ops.Input((3, 8, 8)), (), "input")
    both = builder.add(ops.Add(), (x, x), "add")
    assert to_networkx(builder.build(both)).number_of_edges("input", "add") == 2
