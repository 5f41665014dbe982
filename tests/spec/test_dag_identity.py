# ruff: noqa: E501 (tables: one row a line)
"""The code of a dag against graph isomorphism, and what the normal form makes of it."""

from __future__ import annotations

import random

import networkx as nx
import pytest

from inception_search.lowering import lower
from inception_search.spec.documents.parse import parse_step
from inception_search.spec.identity.arch_id import arch_id, certificate
from inception_search.spec.identity.canonical_form import Edge, canonical_form
from inception_search.spec.identity.normal_form import normal, normal_trunk
from inception_search.spec.network import Head, Input, Network
from inception_search.spec.step import Act, AnyStep, Conv, Dag, DagInput, DagNode, Identity, Norm, Zero, chain
from inception_search.spec.transform import remake
from tests.bounds import bounded


def net(step: AnyStep | str) -> Network:
    step = parse_step(step) if isinstance(step, str) else step
    return Network(name="n", input=Input(channels=4, height=6, width=6), stages={"a": step}, head=Head(classes=3))


# Canonical form of labelled graphs -------------------------------------------------------------------------------


def random_graph(rng: random.Random, size: int) -> tuple[list[str], list[Edge]]:
    labels = [rng.choice("ab") for _ in range(size)]
    density = rng.choice((0.2, 0.4, 0.7))
    pairs = [(a, b) for a in range(size) for b in range(a + 1, size) if rng.random() < density]
    return labels, [(a, b, rng.choice(("x", "x", "y"))) for a, b in pairs for _ in range(rng.choice((1, 1, 1, 2)))]


def moved(labels: list[str], edges: list[Edge], order: list[int]) -> tuple[list[str], list[Edge]]:
    """Node i becomes node order[i]."""
    new = [""] * len(labels)
    for old, label in enumerate(labels):
        new[order[old]] = label
    return new, [(order[a], order[b], label) for a, b, label in edges]


def as_networkx(labels: list[str], edges: list[Edge]) -> nx.MultiDiGraph:
    graph: nx.MultiDiGraph = nx.MultiDiGraph()
    graph.add_nodes_from((i, {"label": label}) for i, label in enumerate(labels))
    graph.add_edges_from((a, b, {"label": label}) for a, b, label in edges)
    return graph


def isomorphic(one: nx.MultiDiGraph, other: nx.MultiDiGraph) -> bool:
    edges = nx.algorithms.isomorphism.categorical_multiedge_match("label", "")
    return bool(nx.is_isomorphic(one, other, node_match=lambda a, b: a["label"] == b["label"], edge_match=edges))


def test_forms_are_equal_exactly_for_isomorphic_graphs() -> None:
    counts = {True: 0, False: 0}
    for seed in range(1_500):
        rng = random.Random(seed)
        size = rng.randint(1, 7)
        labels, edges = random_graph(rng, size)
        order = rng.sample(range(size), size)
        others, more = moved(labels, edges, order)
        rng.shuffle(more)
        if rng.random() < 0.6 and more:  # one edge put elsewhere
            a, b, label = more.pop()
            more.append((a, rng.choice([b, rng.randrange(size)]), rng.choice((label, "x"))))
        same = isomorphic(as_networkx(labels, edges), as_networkx(others, more))
        assert (canonical_form(labels, edges) == canonical_form(others, more)) is same, seed
        counts[same] += 1
    assert min(counts.values()) > 200


def bipartite(half: int) -> list[Edge]:
    return [(a, half + b, "") for a in range(half) for b in range(half)]


def copies(count: int, gadget: list[Edge], size: int) -> list[Edge]:
    """``count`` copies of a gadget side by side: many symmetries."""
    return [(a + i * size, b + i * size, label) for i in range(count) for a, b, label in gadget]


# Graphs on which refinement alone tells nothing, or whose symmetries are many.
SYMMETRIC = {
    "nothing joined": (17, []),
    "all to all": (16, bipartite(8)),
    "pairs": (16, copies(8, [(0, 1, "")], 2)),
    "triangles": (15, copies(5, [(0, 1, ""), (1, 2, ""), (2, 0, "")], 3)),
    "a ring": (16, [(i, (i + 1) % 16, "") for i in range(16)]),
    "two rings": (16, copies(2, [(i, (i + 1) % 8, "") for i in range(8)], 8)),
    "a cube": (16, [(i, i ^ (1 << bit), "") for i in range(16) for bit in range(4)]),
    "diamonds": (16, copies(4, [(0, 1, ""), (0, 2, ""), (1, 3, ""), (2, 3, "")], 4)),
}


@pytest.mark.parametrize("name", SYMMETRIC)
def test_symmetric_graphs_are_done_soon_and_are_the_same_in_any_order(name: str) -> None:
    size, edges = SYMMETRIC[name]
    labels, rng = [""] * size, random.Random(0)
    with bounded():
        form = canonical_form(labels, edges)
        for _ in range(3):
            others, more = moved(labels, edges, rng.sample(range(size), size))
            assert canonical_form(others, more) == form


def test_a_ring_is_not_two_rings() -> None:
    (size, ring), (_, rings) = SYMMETRIC["a ring"], SYMMETRIC["two rings"]
    assert canonical_form([""] * size, ring) != canonical_form([""] * size, rings)


# Codes of dags ---------------------------------------------------------------------------------------------------

CONV = Conv(kernel=(3, 3), width=4)
STEPS: tuple[AnyStep, ...] = (Identity(), CONV, Act(), chain(Act(), CONV), Norm(), Zero())


def random_dag(rng: random.Random, most: int = 7) -> Dag:
    """A dag whose values all have four channels, so that any two may be added."""
    count = rng.randint(1, most)
    reads = [[rng.randint(0, i) for _ in range(rng.choice((1, 1, 2, 2, 3)))] for i in range(count)]
    for i in range(count - 1):
        if all(i + 1 not in sources for sources in reads):
            reads[rng.randint(i + 1, count - 1)].append(i + 1)
    nodes = []
    for sources in reads:
        concat = len(sources) > 1 and rng.random() < 0.4
        inputs = tuple(DagInput(node=source, step=rng.choice(STEPS)) for source in sources)
        then = CONV if concat else rng.choice(STEPS)  # a concat is absorbed, so its order is free
        nodes.append(DagNode(join="concat" if concat else "add", inputs=inputs, then=then))
    return Dag(nodes=tuple(nodes))


def reordered(dag: Dag, rng: random.Random, inputs: bool = True) -> Dag:
    """The same dag with its nodes in another topological order and, if asked, the inputs of each in any order."""
    left, order = list(range(1, len(dag.nodes) + 1)), [0]
    while left:
        ready = [i for i in left if all(entry.node in order for entry in dag.nodes[i - 1].inputs)]
        order.append(rng.choice(ready))
        left.remove(order[-1])
    new = {old: index for index, old in enumerate(order)}
    nodes = []
    for old in order[1:]:
        node = dag.nodes[old - 1]
        entries = [remake(entry, node=new[entry.node]) for entry in node.inputs]
        if inputs:
            rng.shuffle(entries)
        nodes.append(remake(node, inputs=tuple(entries)))
    return Dag(nodes=tuple(nodes))


def changed(dag: Dag, rng: random.Random) -> Dag:
    """``dag`` with one edge leading elsewhere, or one step another; as it was where that leaves no dag."""
    nodes = list(dag.nodes)
    index = rng.randrange(len(nodes))
    entries = list(nodes[index].inputs)
    at = rng.randrange(len(entries))
    entry = entries[at]
    if rng.random() < 0.5:
        entries[at] = remake(entry, node=rng.randint(0, index))
    else:
        entries[at] = remake(entry, step=rng.choice(STEPS))
    nodes[index] = remake(nodes[index], inputs=tuple(entries))
    read = {entry.node for node in nodes for entry in node.inputs}
    return Dag(nodes=tuple(nodes)) if set(range(1, len(nodes))) <= read else dag


def wiring(network: Network) -> nx.MultiDiGraph:
    """The lowered graph as it is written; edges forget in which position a node is read."""
    graph = lower(network)
    out: nx.MultiDiGraph = nx.MultiDiGraph()
    for index, node in enumerate(graph.nodes):
        out.add_node(index, label=repr(node.op))
        out.add_edges_from(((source, index) for source in node.inputs), label="")
    return out


def check_against_isomorphism(seeds: range, most: int) -> tuple[int, int]:
    """How many pairs were the same and how many were not; fails at the first that the id gets wrong."""
    counts = {True: 0, False: 0}
    for seed in seeds:
        rng = random.Random(seed)
        one = random_dag(rng, most)
        other = reordered(one, rng)
        for _ in range(rng.choice((0, 1, 1, 2))):
            other = changed(other, rng)
        same = isomorphic(wiring(net(one)), wiring(net(other)))
        assert (arch_id(net(one)) == arch_id(net(other))) is same, (seed, one, other)
        counts[same] += 1
    return counts[True], counts[False]


def test_codes_are_equal_exactly_for_isomorphic_dags() -> None:
    same, different = check_against_isomorphism(range(500), most=7)
    assert min(same, different) > 150


@pytest.mark.slow
def test_codes_are_equal_exactly_for_isomorphic_dags_thousands() -> None:
    same, different = check_against_isomorphism(range(10_000, 16_000), most=12)
    assert min(same, different) > 1_500


def test_the_order_of_nodes_does_not_matter_where_that_of_inputs_does() -> None:
    for seed in range(200):
        rng = random.Random(seed)
        dag = chain(random_dag(rng, 12), parse_step("lrn"))
        other = chain(reordered(dag.steps[0], rng, inputs=False), parse_step("lrn"))
        assert certificate(net(other)) == certificate(net(dag)), seed


def test_the_normal_form_computes_the_same() -> None:
    """Every op as often as before, wired in the same way."""
    simpler = 0
    for seed in range(300):
        dag = random_dag(random.Random(seed))
        network = net(dag)
        plain = remake(network, stages=normal_trunk(network))
        assert isomorphic(wiring(network), wiring(plain)), (seed, dag)
        simpler += len(str(plain.stages["a"])) < len(str(dag))
    assert simpler > 100


# A dag, its normal form.
NORMAL_FORMS = [
    # chains
    ("{dag: [{inputs: [0]}]}", "identity"),
    ("{dag: [{inputs: [{node: 0, step: relu}], then: norm}]}", "[relu, norm]"),
    ("{dag: [{inputs: [{node: 0, step: relu}]}, {join: concat, inputs: [1], then: norm}]}", "[relu, norm]"),
    # branches
    ("{dag: [{join: concat, inputs: [0, {node: 0, step: relu}], then: norm}]}", "[{concat: [identity, relu]}, norm]"),
    ("{dag: [{inputs: [{node: 0, step: relu}], then: norm}, {join: concat, inputs: [1, {node: 0, step: {concat: [lrn, lrn]}}]}]}", "{concat: [[relu, norm], lrn, lrn]}"),
    ("{dag: [{inputs: [0, {node: 0, step: relu}]}]}", "{block: {skip: add, body: relu}}"),
    ("{dag: [{inputs: [{node: 0, step: relu}, 0], then: norm}]}", "[{block: {skip: add, body: relu}}, norm]"),
    ("{dag: [{inputs: [0, 0]}]}", "{block: {skip: add, body: identity}}"),
    # two residual blocks in series, the first one's way out the second one's way in
    ("{dag: [{inputs: [0, {node: 0, step: relu}]}, {inputs: [1, {node: 1, step: norm}]}]}", "[{block: {skip: add, body: relu}}, {block: {skip: add, body: norm}}]"),
    # what is neither stays, without what leads to it and what follows
    ("{dag: [{inputs: [{node: 0, step: relu}, {node: 0, step: norm}], then: lrn}]}", "[{dag: [{inputs: [{node: 0, step: relu}, {node: 0, step: norm}]}]}, lrn]"),
    (
        "{dag: [{inputs: [0], then: lrn}, {inputs: [1], then: relu}, {inputs: [1, 2]}, {inputs: [2, 3], then: norm}]}",
        "[lrn, {dag: [{inputs: [{node: 0, step: relu}]}, {inputs: [0, 1]}, {inputs: [1, 2]}]}, norm]",
    ),
    # a node that only passes on is none; a step on the only way out of a sum follows it
    (
        "{dag: [{inputs: [0]}, {inputs: [{node: 1, step: relu}, {node: 1, step: norm}]}, {inputs: [{node: 2, step: tanh}, 0]}]}",
        "{dag: [{inputs: [{node: 0, step: relu}, {node: 0, step: norm}], then: tanh}, {inputs: [1, 0]}]}",
    ),
    # steps inside are in normal form
    ("{dag: [{inputs: [{node: 0, step: 2 x relu}, {node: 0, step: norm}]}]}", "{dag: [{inputs: [{node: 0, step: [relu, relu]}, {node: 0, step: norm}]}]}"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "form"), NORMAL_FORMS, ids=[row[0] for row in NORMAL_FORMS])
def test_normal_forms(written: str, form: str) -> None:
    assert normal(parse_step(written)) == parse_step(form)


# Two dags that are one architecture.
SAME = [
    ("{dag: [{inputs: [{node: 0, step: relu}, {node: 0, step: norm}]}]}", "{dag: [{inputs: [{node: 0, step: norm}, {node: 0, step: relu}]}]}"),
    ("[{dag: [{join: concat, inputs: [{node: 0, step: relu}, {node: 0, step: norm}]}]}, 1x1 4]", "[{concat: [norm, relu]}, 1x1 4]"),
    # an order that a convolution after the dag absorbs, through a dag of another kind
    (
        "[{concat: [1x1 4, 3x3 8]}, {dag: [{inputs: [{node: 0, step: 1x1 8}, {node: 0, step: 3x3 8}]}]}]",
        "[{concat: [3x3 8, 1x1 4]}, {dag: [{inputs: [{node: 0, step: 1x1 8}, {node: 0, step: 3x3 8}]}]}]",
    ),
    ("[{concat: [1x1 4, 3x3 8]}, zero]", "[{concat: [3x3 8, 1x1 4]}, zero]"),
    # an order that the filters of the other summands follow
    (
        "{dag: [{inputs: [{node: 0, step: {concat: [relu, norm]}}, {node: 0, step: 1x1 8}, {node: 0, step: 3x3 8}]}]}",
        "{dag: [{inputs: [{node: 0, step: {concat: [norm, relu]}}, {node: 0, step: 1x1 8}, {node: 0, step: 3x3 8}]}]}",
    ),
]  # fmt: skip

# Two dags that are not.
DIFFERENT = [
    # a sum or a concat
    ("{dag: [{inputs: [{node: 0, step: relu}, {node: 0, step: norm}]}]}", "{dag: [{join: concat, inputs: [{node: 0, step: relu}, {node: 0, step: norm}]}]}"),
    # an order that nothing absorbs: LRN, a sum, the first channels
    (
        "{dag: [{join: concat, inputs: [{node: 0, step: relu}, {node: 0, step: norm}], then: lrn}, {join: concat, inputs: [1, 0, 1]}]}",
        "{dag: [{join: concat, inputs: [{node: 0, step: norm}, {node: 0, step: relu}], then: lrn}, {join: concat, inputs: [1, 0, 1]}]}",
    ),
    (
        "{dag: [{inputs: [{node: 0, step: {concat: [relu, norm]}}, {node: 0, step: 1x1 8}, {node: 0, step: {concat: [tanh, 3x3 4]}}]}]}",
        "{dag: [{inputs: [{node: 0, step: {concat: [norm, relu]}}, {node: 0, step: 1x1 8}, {node: 0, step: {concat: [tanh, 3x3 4]}}]}]}",
    ),
    ("[{concat: [relu, norm]}, {narrow: 5}]", "[{concat: [norm, relu]}, {narrow: 5}]"),
    ("zero", "identity"),
    ("{narrow: 2}", "{narrow: 3}"),
    ("{narrow: 4}", "identity"),
    # a value that is read twice is not two values
    (
        "{dag: [{inputs: [{node: 0, step: 3x3 4}]}, {inputs: [1, {node: 1, step: relu}, 0]}]}",
        "{dag: [{inputs: [{node: 0, step: 3x3 4}, {node: 0, step: [3x3 4, relu]}, 0]}]}",
    ),
    # how often, and by whom
    ("{dag: [{inputs: [0, {node: 0, step: relu}, 0]}]}", "{dag: [{inputs: [0, {node: 0, step: relu}]}]}"),
    (
        "{dag: [{inputs: [{node: 0, step: relu}]}, {inputs: [{node: 0, step: norm}, 1]}, {inputs: [1, 2]}]}",
        "{dag: [{inputs: [{node: 0, step: norm}]}, {inputs: [{node: 0, step: relu}, 1]}, {inputs: [1, 2]}]}",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME, ids=[row[0] for row in SAME])
def test_one_architecture_has_one_id(one: str, other: str) -> None:
    assert arch_id(net(one)) == arch_id(net(other))


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=[row[0] for row in DIFFERENT])
def test_different_architectures_have_different_ids(one: str, other: str) -> None:
    assert arch_id(net(one)) != arch_id(net(other))


def test_dags_in_dags_have_codes_that_do_not_grow_out_of_proportion() -> None:
    step: AnyStep = Act()
    for _ in range(12):
        step = Dag(nodes=(DagNode(inputs=tuple(DagInput(node=0, step=s) for s in (step, Norm(), Act()))),))
    assert len(certificate(net(step))) < 4_000
