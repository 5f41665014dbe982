"""The layers of a graph that hold weights: convolutions and fully connected layers, each with its norm."""

from __future__ import annotations

from typing import Literal, NamedTuple

from inception_search.graph.graph import Graph, Node
from inception_search.graph.ops import BatchNorm, Conv, Linear

Kind = Literal["conv", "depthwise", "linear"]


class Layer(NamedTuple):
    """One layer: ``path`` is its place in the document, ``node`` and ``norm`` are the prefixes of its weight keys.

    ``path`` and ``node`` differ in their last part: ``mixed_5b.branches.0`` and ``mixed_5b.branches.0.conv``; they are
    equal for a classifier. ``norm`` is the batch norm that reads the layer directly. ``shape`` is the weight's shape in
    PyTorch's layout: (O, I, H, W) or (O, I).
    """

    path: str
    node: str
    norm: str | None
    has_bias: bool
    has_gamma: bool
    kind: Kind
    shape: tuple[int, ...]


def layers(graph: Graph) -> tuple[Layer, ...]:
    """Every convolution and fully connected layer of ``graph``, in graph order."""
    norms = {node.inputs[0]: node for node in graph.nodes if isinstance(node.op, BatchNorm)}
    return tuple(
        _layer(graph, node, node.op, norms.get(index))
        for index, node in enumerate(graph.nodes)
        if isinstance(node.op, Conv | Linear)
    )


def _layer(graph: Graph, node: Node, op: Conv | Linear, norm: Node | None) -> Layer:
    inputs = graph.input_types(node)[0].channels
    kind, shape = _conv(op, inputs) if isinstance(op, Conv) else ("linear", (op.width, inputs))
    has_gamma = norm is not None and isinstance(norm.op, BatchNorm) and norm.op.gamma
    return Layer(_place(node.path), node.path, norm.path if norm else None, op.bias, has_gamma, kind, shape)


def _conv(op: Conv, inputs: int) -> tuple[Kind, tuple[int, ...]]:
    depthwise = op.groups == inputs > 1
    return ("depthwise" if depthwise else "conv"), (op.width, inputs // op.groups, *op.kernel)


def _place(path: str) -> str:
    place, _, last = path.rpartition(".")
    return place if last in ("conv", "linear") else path
