"""Constant factors after linear layers become part of their weights and bias.

Rules:

1. A ``scale`` that alone reads a convolution or a linear layer.
2. A sum with a scale (``x + scale * y``, as in residual blocks) whose scaled values are all convolutions or linear
   layers that only the sum reads. It becomes a plain sum.

Before: layer, multiplication. After: the layer with other weights. Inference only: in training the optimizer would see
other gradients, and a scaled sum costs nothing there.

Source: Jacob et al., Quantization and Training of Neural Networks (1712.05877), section 3.2, for norms; residual scales
are those of Szegedy et al., Inception-v4 (1602.07261), section 3.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from inception_search.graph.graph import Graph, Node
from inception_search.graph.ops import Add, Conv, Linear, Scale
from inception_search.passes.expressions import Times
from inception_search.passes.rewrite import Editor, Match, Pass, readers


def find(graph: Graph) -> Iterator[Match]:
    """The scales in ``graph`` that layers absorb."""
    read_by = readers(graph)
    for index, node in enumerate(graph.nodes):
        op = node.op
        if isinstance(op, Scale) and _absorb(graph, node.inputs, read_by, index):
            yield _scale(graph, node, index, op.factor)
        elif isinstance(op, Add) and op.scale != 1.0 and _absorb(graph, node.inputs[1:], read_by, index):
            yield _sum(graph, node, index, op)


def _absorb(graph: Graph, values: Sequence[int], read_by: Sequence[Sequence[int]], reader: int) -> bool:
    return all(type(graph.nodes[i].op) in (Conv, Linear) and read_by[i] == [reader] for i in values)


def _scale(graph: Graph, node: Node, index: int, factor: float) -> Match:
    layer = graph.nodes[node.inputs[0]]

    def build(editor: Editor, inputs: tuple[int, ...]) -> list[int]:
        return [_times(editor, layer, inputs, factor)]

    return Match((node.inputs[0], index), layer.inputs, (index,), build)


def _sum(graph: Graph, node: Node, index: int, op: Add) -> Match:
    first, *scaled = node.inputs
    layers = [graph.nodes[i] for i in scaled]
    inputs = tuple(dict.fromkeys((first, *(i for layer in layers for i in layer.inputs))))

    def build(editor: Editor, new: tuple[int, ...]) -> list[int]:
        at = dict(zip(inputs, new, strict=True))
        values = [_times(editor, layer, [at[i] for i in layer.inputs], op.scale) for layer in layers]
        return [editor.add(replace(op, scale=1.0), (at[first], *values), node.path)]

    return Match((*scaled, index), inputs, (index,), build)


def _times(editor: Editor, layer: Node, inputs: Sequence[int], factor: float) -> int:
    """The layer with all its tensors times ``factor``."""
    tensors = {name: Times(editor.tensor(layer, name), factor) for name in layer.op.tensors()}
    return editor.add(layer.op, inputs, layer.path, **tensors)


PASS = Pass(
    name="fold_scale",
    find=find,
    phases=frozenset({"inference"}),
    summary="constant factors become part of the weights of the layers before them",
)
