"""Convolutions of one value with kernels of different size become one convolution with the largest kernel.

Rules:

1. Convolutions are merged if they read one node, have equal strides and one group, and kernels around one centre
   (``windows.common_window``). What comes after them is as in ``merge_siblings``, rule 2.
2. Each kernel is put into the largest window, with zeros around it. A convolution without a bias gets zeros if another
   one has a bias.
3. All of them are offered for merging; where that is refused, fewer neighbours in the order of kernel size. Where a
   value is read by views only (``narrow``), its views become views of the merged value.

Before: n convolutions, n norms, n activations. After: one of each, and views. It is exact in training, since norms
work on each channel by itself. Multiply-adds grow by those of the zeros: a measurement must say where it pays.

Source: Ding et al., IOS (2011.01302), section 4: "operator merge" with padded kernels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod

from inception_search.graph.graph import Graph, Node
from inception_search.graph.op import Op
from inception_search.graph.ops import Conv, Narrow
from inception_search.passes.expressions import Expression, Zeros, joined
from inception_search.passes.merge_siblings import chain_from
from inception_search.passes.merge_sum import common_conv, kernels
from inception_search.passes.rewrite import Editor, Match, Pass, common_path, differentiated, readers
from inception_search.passes.windows import Window, common_window

Chain = Sequence[int]
"""The nodes of a convolution, its norm and its activation."""


def find(graph: Graph) -> Iterator[Match]:
    """The groups of convolutions in ``graph`` that one larger kernel can compute, large groups first."""
    read_by, trained = readers(graph), differentiated(graph)
    groups: dict[tuple[object, ...], list[Chain]] = {}
    for index, node in enumerate(graph.nodes):
        if type(node.op) is Conv and node.op.groups == 1:
            chain = chain_from(graph, index, read_by)
            followers = tuple(graph.nodes[i].op for i in chain[1:])
            groups.setdefault((node.inputs, node.op.stride, followers, index in trained), []).append(chain)
    for chains in groups.values():
        chains.sort(key=lambda chain: prod(_conv(graph, chain).kernel))
        for several in _neighbours(chains):
            window = common_window([_conv(graph, chain) for chain in several])
            if window is not None and len({_conv(graph, chain).kernel for chain in several}) > 1:
                yield _match(graph, sorted(several, key=lambda chain: chain[0]), read_by)


def _neighbours(chains: Sequence[Chain]) -> Iterator[Sequence[Chain]]:
    """All runs of at least two, long ones first."""
    for length in range(len(chains), 1, -1):
        for start in range(len(chains) - length + 1):
            yield chains[start : start + length]


def _conv(graph: Graph, chain: Chain) -> Conv:
    op = graph.nodes[chain[0]].op
    assert isinstance(op, Conv)
    return op


def _match(graph: Graph, chains: Sequence[Chain], read_by: Sequence[Sequence[int]]) -> Match:
    layers = [[graph.nodes[index] for index in each] for each in zip(*chains, strict=True)]
    window = common_window([_conv(graph, chain) for chain in chains])
    assert window is not None
    views = [_views(graph, chain[-1], read_by) for chain in chains]
    inner = [[graph.nodes[i] for i in inside] for inside in views]

    def build(editor: Editor, inputs: tuple[int, ...]) -> list[int]:
        value = _merged(editor, layers[0], inputs[0], window)
        for nodes in layers[1:]:
            tensors = {name: joined(editor.tensor(node, name) for node in nodes) for name in nodes[0].op.tensors()}
            value = editor.add(nodes[0].op, (value,), common_path([node.path for node in nodes]), **tensors)
        made, start = [], 0
        for first, last, inside in zip(layers[0], layers[-1], inner, strict=True):
            parts = inside or [Node(Narrow(first.type.channels), (), last.type, last.path)]
            made += [editor.add(_moved(part.op, start), (value,), part.path) for part in parts]
            start += first.type.channels
        return made

    nodes = tuple(sorted({*(i for chain in chains for i in chain), *(i for inside in views for i in inside)}))
    outputs = [i for chain, inside in zip(chains, views, strict=True) for i in inside or (chain[-1],)]
    return Match(nodes, graph.nodes[chains[0][0]].inputs, tuple(outputs), build)


def _views(graph: Graph, index: int, read_by: Sequence[Sequence[int]]) -> list[int]:
    """The views of the value ``index``, if nothing else reads it."""
    reading = read_by[index]
    return list(reading) if all(i >= 0 and isinstance(graph.nodes[i].op, Narrow) for i in reading) else []


def _moved(op: Op, start: int) -> Narrow:
    """A view whose channels are found ``start`` channels later."""
    assert isinstance(op, Narrow)
    return replace(op, start=op.start + start)


def _merged(editor: Editor, nodes: Sequence[Node], value: int, window: Window) -> int:
    """The convolution with the filters of all ``nodes`` in order."""
    tensors: dict[str, Expression] = {"weight": joined(kernels(editor, nodes, window))}
    biases = [editor.optional(node, "bias") for node in nodes]
    if any(biases):
        pairs = zip(nodes, biases, strict=True)
        tensors["bias"] = joined(bias or Zeros(editor.tensor(node, "weight")) for node, bias in pairs)
    assert isinstance(nodes[0].op, Conv)
    op = replace(common_conv(nodes[0].op, window), width=sum(node.type.channels for node in nodes), bias=any(biases))
    return editor.add(op, (value,), common_path([node.path for node in nodes]), **tensors)


PASS = Pass(
    name="merge_kernels",
    find=find,
    phases=frozenset({"training", "inference"}),
    summary="convolutions of one value with different kernels become one with the largest kernel",
    costly=True,
)
