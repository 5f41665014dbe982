"""Convolutions that read the same value become one convolution, one norm and one activation, followed by views.

Rules:

1. Siblings are convolutions that read one node, have the same kernel, stride, padding, dilation and bias setting, and
   one group.
2. A sibling may go on with a norm and an activation, each the only reader of the node before it. Only siblings with
   equal norms (``eps``, momentum, gamma) and equal activations are merged. Siblings that only zeros read are merged
   with each other only: their ``grad`` is None, and optimizers skip them; a gradient of zeros would get weight decay.
3. The merged convolution has the filters of all siblings in order; batch norm and activations work on each channel by
   itself, so that theirs are merged in the same way. Each sibling's value is then a ``narrow``: a view without a copy.

Before: n branches of 1 to 3 nodes on one value. After: the same 1 to 3 nodes once, and n views, on which the readers of
the branches depend. It is exact in training, gradients and running statistics included.

Source: TVM's CombineParallelConv2D; Ding et al., IOS (2011.01302), section 4: "operator merge".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from inception_search.graph.graph import Graph, Node
from inception_search.graph.op import Op
from inception_search.graph.ops import Act, BatchNorm, Conv, Narrow
from inception_search.passes.expressions import Joined, joined
from inception_search.passes.rewrite import Editor, Match, Pass, common_path, differentiated, readers


def find(graph: Graph) -> Iterator[Match]:
    """The groups of siblings in ``graph``."""
    read_by, trained = readers(graph), differentiated(graph)
    groups: dict[tuple[object, ...], list[list[int]]] = {}
    for index, node in enumerate(graph.nodes):
        if type(node.op) is Conv and node.op.groups == 1:
            chain = chain_from(graph, index, read_by)
            followers = tuple(graph.nodes[i].op for i in chain[1:])
            groups.setdefault((node.inputs, replace(node.op, width=1), followers, index in trained), []).append(chain)
    for chains in groups.values():
        if len(chains) > 1:
            yield _match(graph, chains)


def chain_from(graph: Graph, index: int, read_by: Sequence[Sequence[int]]) -> list[int]:
    """A convolution, the norm after it and the activation after that, as far as each is the only reader."""
    chain = [index]
    for kind in (BatchNorm, Act):
        after = read_by[chain[-1]]
        if len(after) == 1 and after[0] >= 0 and type(graph.nodes[after[0]].op) is kind:
            chain.append(after[0])
    return chain


def _match(graph: Graph, chains: Sequence[Sequence[int]]) -> Match:
    layers = [[graph.nodes[index] for index in each] for each in zip(*chains, strict=True)]

    def build(editor: Editor, inputs: tuple[int, ...]) -> list[int]:
        value = inputs[0]
        for nodes in layers:
            value = editor.add(_merged(nodes), (value,), common_path([n.path for n in nodes]), **_joined(editor, nodes))
        views, start = [], 0
        for first, last in zip(layers[0], layers[-1], strict=True):
            width = first.type.channels
            views.append(editor.add(Narrow(width, start), (value,), last.path))
            start += width
        return views

    nodes = tuple(sorted(index for chain in chains for index in chain))
    return Match(nodes, graph.nodes[chains[0][0]].inputs, tuple(chain[-1] for chain in chains), build)


def _merged(nodes: Sequence[Node]) -> Op:
    op = nodes[0].op
    return replace(op, width=sum(node.type.channels for node in nodes)) if isinstance(op, Conv) else op


def _joined(editor: Editor, nodes: Sequence[Node]) -> dict[str, Joined]:
    return {name: joined(editor.tensor(node, name) for node in nodes) for name in nodes[0].op.tensors()}


PASS = Pass(
    name="merge_siblings",
    find=find,
    phases=frozenset({"training", "inference"}),
    summary="convolutions that read one value become one convolution, norm and activation",
    costly=True,
)
