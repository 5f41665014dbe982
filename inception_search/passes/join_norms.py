"""Norms and activations at the ends of branches become one norm and one activation after the concatenation.

Rules:

1. The values that a concatenation joins all come from an activation, or all from a batch norm with an activation after
   it or without one.
2. These norms are equal (``eps``, momentum, gamma) and so are the activations, and each is the only reader of the node
   before it. The concatenation is the only reader of the last.
3. Batch norm and activations work on each channel by itself: the concatenation then joins the values before them, and
   one norm over all channels has the tensors of all norms in order.

Before: n branches that end in 1 or 2 such nodes, and a concatenation. After: a concatenation and the same 1 or 2 nodes
once. It is exact in training, gradients and running statistics included. It saves calls in both directions. The
backward pass of a convolution that ends a branch copies its part of the gradient: with large feature maps that can cost
more than the calls.

In evaluation, norms are folded into the convolutions before them instead (``fold_norm``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inception_search.graph.graph import Graph
from inception_search.graph.ops import Act, BatchNorm, Concat
from inception_search.passes.expressions import joined
from inception_search.passes.rewrite import Editor, Match, Pass, common_path, readers


def find(graph: Graph) -> Iterator[Match]:
    """The concatenations in ``graph`` whose branches end in equal norms and activations."""
    read_by = readers(graph)
    for index, node in enumerate(graph.nodes):
        if isinstance(node.op, Concat) and len(set(node.inputs)) == len(node.inputs):
            ends = [_end(graph, i, read_by) for i in node.inputs]
            kinds = {tuple(graph.nodes[i].op for i in end) for end in ends}
            if len(kinds) == 1 and kinds != {()}:
                yield _match(graph, index, ends)


def _end(graph: Graph, index: int, read_by: Sequence[Sequence[int]]) -> list[int]:
    """The norm and the activation that end a branch in node ``index``, in order."""
    end: list[int] = []
    for kind in (Act, BatchNorm):
        if type(graph.nodes[index].op) is kind and len(read_by[index]) == 1:
            end.insert(0, index)
            index = graph.nodes[index].inputs[0]
    return end


def _match(graph: Graph, index: int, ends: Sequence[Sequence[int]]) -> Match:
    concat = graph.nodes[index]
    layers = [[graph.nodes[i] for i in each] for each in zip(*ends, strict=True)]
    before = tuple(layers[0][branch].inputs[0] for branch in range(len(ends)))

    def build(editor: Editor, inputs: tuple[int, ...]) -> list[int]:
        value = editor.add(Concat(), inputs, f"{concat.path}.joined")
        for nodes in layers:
            path = concat.path if nodes is layers[-1] else common_path([node.path for node in nodes])
            tensors = {name: joined(editor.tensor(node, name) for node in nodes) for name in nodes[0].op.tensors()}
            value = editor.add(nodes[0].op, (value,), path, **tensors)
        return [value]

    inside = tuple(sorted(i for end in ends for i in end))
    return Match((*inside, index), before, (index,), build)


PASS = Pass(
    name="join_norms",
    find=find,
    phases=frozenset({"training"}),
    summary="norms and activations at the ends of branches become one after the concatenation",
    costly=True,
)
