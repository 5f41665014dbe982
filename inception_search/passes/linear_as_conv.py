"""A linear layer on a flattened feature map becomes a convolution with a kernel of the size of the map.

Rules:

1. Only the linear layer reads the flattened map; on a 1x1 map, the usual one after global pooling, the convolution is
   a 1x1 convolution.
2. The weight (O, C * H * W) is read as a kernel (O, C, H, W): features are flattened in that order. The output
   (O, 1, 1) is flattened instead of the map.

Before: flatten, linear. After: convolution, flatten. Only in inference, and only where it is measured to be faster:
on some processors the convolution library is faster than the one for products of matrices.

Source: Long et al., "Fully convolutional networks" (1411.4038), section 3.1.
"""

from __future__ import annotations

from collections.abc import Iterator

from inception_search.graph.graph import Graph, Node
from inception_search.graph.ops import Conv, Flatten, Linear
from inception_search.graph.types import FeatureMap
from inception_search.passes.expressions import AsKernel
from inception_search.passes.rewrite import Editor, Match, Pass, readers


def find(graph: Graph) -> Iterator[Match]:
    """The linear layers in ``graph`` on flattened maps."""
    read_by = readers(graph)
    for index, node in enumerate(graph.nodes):
        if type(node.op) is Linear:
            flat = graph.nodes[node.inputs[0]]
            if isinstance(flat.op, Flatten) and read_by[node.inputs[0]] == [index]:
                entered = graph.input_types(flat)[0]
                if isinstance(entered, FeatureMap):
                    yield _match(flat, node, node.op, index, entered)


def _match(flat: Node, node: Node, op: Linear, index: int, entered: FeatureMap) -> Match:
    def build(editor: Editor, inputs: tuple[int, ...]) -> list[int]:
        tensors = {name: editor.tensor(node, name) for name in op.tensors()}
        tensors["weight"] = AsKernel(tensors["weight"], (entered.channels, entered.height, entered.width))
        conv = Conv(op.width, (entered.height, entered.width), bias=op.bias)
        return [editor.add(Flatten(), (editor.add(conv, inputs, node.path, **tensors),), flat.path)]

    return Match((node.inputs[0], index), flat.inputs, (index,), build)


PASS = Pass(
    name="linear_as_conv",
    find=find,
    phases=frozenset({"inference"}),
    summary="a linear layer on a flattened map becomes a convolution",
    costly=True,
)
