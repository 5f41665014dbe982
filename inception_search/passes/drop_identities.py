"""Operations that return their input are removed.

Rules, each for one operation:

1. ``narrow`` of all channels.
2. ``scale`` by 1.
3. A maximum or average pool with kernel 1x1, stride 1 and no padding; an adaptive or global pool of a map that has its
   output size already.
4. ``flatten`` of a vector.

Before: the operation. After: its input. It is exact in training.

Source: the identity rules of LLVM's InstCombine and of ONNX Runtime's EliminateIdentity, EliminateSlice.
"""

from __future__ import annotations

from collections.abc import Iterator

from inception_search.graph.graph import Graph
from inception_search.graph.op import Op
from inception_search.graph.ops import AdaptivePool, Flatten, GlobalPool, Narrow, Pool, Scale
from inception_search.graph.types import Type, Vector
from inception_search.passes.rewrite import Match, Pass


def find(graph: Graph) -> Iterator[Match]:
    """The nodes of ``graph`` that return their input."""
    for index, node in enumerate(graph.nodes):
        if len(node.inputs) == 1 and _is_identity(node.op, graph.input_types(node)[0], node.type):
            yield without(index, node.inputs[0])


def without(index: int, value: int) -> Match:
    """Node ``index`` replaced by node ``value``, which it reads."""
    return Match((index,), (value,), (index,), lambda _, inputs: inputs)


def _is_identity(op: Op, entered: Type, left: Type) -> bool:
    if isinstance(op, Scale):
        return op.factor == 1.0
    if isinstance(op, Pool):
        return op.mode != "l2" and op.kernel == op.stride == (1, 1) and op.padding in ((0, 0), "tf")
    return entered == left and (
        isinstance(op, Narrow | AdaptivePool | GlobalPool) or (isinstance(op, Flatten) and isinstance(entered, Vector))
    )


PASS = Pass(
    name="drop_identities",
    find=find,
    phases=frozenset({"training", "inference"}),
    summary="operations that return their input are removed",
)
