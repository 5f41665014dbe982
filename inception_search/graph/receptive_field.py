"""The receptive field of one position of the last feature map.

The field is a property of the network, not of one image: borders do not cut it, so it may be larger than the image, as
in the tables of the papers. It extends from the leftmost to the rightmost pixel that any branch reads.
"""

from __future__ import annotations

from typing import NamedTuple

from inception_search.graph.graph import Graph, Node
from inception_search.graph.ops import AdaptivePool, Conv, Flatten, GlobalPool, Input, Pool, Zero
from inception_search.graph.types import FeatureMap, Padding, Type


class Field(NamedTuple):
    """The sides of a receptive field in pixels of the input."""

    height: int
    width: int

    @property
    def side(self) -> int:
        """The smaller side."""
        return min(self)


class _Span(NamedTuple):
    """The first and last position on one axis of a feature map; positions outside it are its border."""

    first: int
    last: int


def receptive_field(graph: Graph) -> Field:
    """The pixels that the centre of the last feature map before global pooling (or flattening) depends on."""
    return Field(*(_side(graph, axis) for axis in (0, 1)))


def _side(graph: Graph, axis: int) -> int:
    """The side on one axis: from the output backwards, the needed span of a value covers the spans of its readers."""
    needed = {graph.outputs[0]: _centre(graph.nodes[graph.outputs[0]].type, axis)}
    pixels: _Span | None = None
    for index in range(graph.outputs[0], -1, -1):
        span = needed.pop(index, None)
        node = graph.nodes[index]
        if span is None or isinstance(node.op, Zero):  # zeros read nothing
            continue
        if isinstance(node.op, Input):
            pixels = _joined(pixels, span)
        for source in node.inputs:
            needed[source] = _joined(needed.get(source), _read(node, span, graph.nodes[source].type, axis))
    return 0 if pixels is None else pixels.last - pixels.first + 1


def _read(node: Node, span: _Span, value: Type, axis: int) -> _Span:
    """The positions of ``value`` that ``node`` reads for its own positions ``span``."""
    op = node.op
    if isinstance(op, GlobalPool | Flatten) or (isinstance(op, AdaptivePool) and op.size == (1, 1)):
        return _centre(value, axis)
    if not isinstance(value, FeatureMap) or not isinstance(op, Conv | Pool | AdaptivePool):
        return span
    side = value[1 + axis]
    if isinstance(op, AdaptivePool):
        return _adaptive(span, side, op.size[axis])
    reach = (op.kernel[axis] - 1) * (op.dilation[axis] if isinstance(op, Conv) else 1)
    stride = op.stride[axis]
    before = _zeros_before(op.padding, axis, side, reach, stride)
    return _Span(span.first * stride - before, span.last * stride - before + reach)


def _zeros_before(padding: Padding, axis: int, side: int, reach: int, stride: int) -> int:
    if padding != "tf":
        return padding[axis]
    return max((-(-side // stride) - 1) * stride + reach + 1 - side, 0) // 2


def _adaptive(span: _Span, side: int, outputs: int) -> _Span:
    """Output i of n averages floor(i side / n) up to ceil((i + 1) side / n), all inside the feature map."""
    first, last = (min(max(position, 0), outputs - 1) for position in span)
    return _Span(first * side // outputs, -(-(last + 1) * side // outputs) - 1)


def _centre(value: Type, axis: int) -> _Span:
    middle = value[1 + axis] // 2 if isinstance(value, FeatureMap) else 0
    return _Span(middle, middle)


def _joined(one: _Span | None, other: _Span) -> _Span:
    return other if one is None else _Span(min(one.first, other.first), max(one.last, other.last))
