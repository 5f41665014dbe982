"""An average pool and the 1x1 convolution beside it change places where that saves work.

Rules:

1. The convolution has kernel 1x1, stride 1 and no padding; the pool is the average over windows, over a grid
   (adaptive) or over the whole map. Nothing else reads the value between the two.
2. Averaging works on each channel by itself, and the convolution on each position by itself: their order does not
   matter. A bias needs windows whose weights sum to one; it is not allowed where averages include padding
   (``count_pad`` with padding).
3. The order with less work is used. Work: multiply-adds of the convolution plus additions of the pool. So a pool of
   stride 1 that keeps the size of the map goes after a convolution with fewer filters than channels; a pool that
   makes the map smaller goes before the convolution. The saving is small, so that each place is measured, too.

Before: pool, convolution, or convolution, pool. After: the other order, with the same tensors. It is exact in training.

Source: Hu et al., "Optimizing CNN model inference"; TASO (Jia et al., 2019), its substitutions of average pools.
"""

from __future__ import annotations

from collections.abc import Iterator

from inception_search.graph.graph import Graph, Node
from inception_search.graph.op import Op
from inception_search.graph.ops import AdaptivePool, Conv, GlobalPool, Pool
from inception_search.graph.types import Type
from inception_search.passes.rewrite import Editor, Match, Pass, readers


def find(graph: Graph) -> Iterator[Match]:
    """The neighbours in ``graph`` whose other order is less work."""
    read_by = readers(graph)
    for index, second in enumerate(graph.nodes):
        if len(second.inputs) != 1 or len(read_by[second.inputs[0]]) != 1:
            continue
        first = graph.nodes[second.inputs[0]]
        if _swappable(first, second) and _saves(graph, first, second):
            yield _match(first, second, index)


def _swappable(first: Node, second: Node) -> bool:
    conv, pool = (first.op, second.op) if isinstance(first.op, Conv) else (second.op, first.op)
    return _is_pointwise(conv) and _is_average(pool) and not (conv.tensors()[1:] and _averages_padding(pool))


def _is_pointwise(op: Op) -> bool:
    return type(op) is Conv and op.kernel == op.stride == (1, 1) and op.padding in ((0, 0), "tf")


def _is_average(op: Op) -> bool:
    return type(op) in (Pool, AdaptivePool, GlobalPool) and op.mode == "avg"  # type: ignore[attr-defined]


def _averages_padding(op: Op) -> bool:
    return isinstance(op, Pool) and op.count_pad and op.padding != (0, 0)


def _saves(graph: Graph, first: Node, second: Node) -> bool:
    entered = graph.input_types(first)[0]
    between = second.op.infer((entered,))
    now = _work(first.op, entered, first.type) + _work(second.op, first.type, second.type)
    return _work(second.op, entered, between) + _work(first.op, between, second.type) < now


def _work(op: Op, entered: Type, left: Type) -> int:
    """Multiply-adds of a convolution, or additions of a pool."""
    if isinstance(op, Pool):
        return left.numel * op.kernel[0] * op.kernel[1]
    return op.cost((entered,), left).macs or max(entered.numel, left.numel)


def _match(first: Node, second: Node, index: int) -> Match:
    def build(editor: Editor, inputs: tuple[int, ...]) -> list[int]:
        return [editor.copy(first, (editor.copy(second, inputs),))]

    return Match((second.inputs[0], index), first.inputs, (index,), build)


PASS = Pass(
    name="swap_pool",
    find=find,
    phases=frozenset({"training", "inference"}),
    summary="an average pool and the 1x1 convolution beside it change places where that saves work",
    costly=True,
)
