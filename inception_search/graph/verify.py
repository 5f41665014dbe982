"""Re-deriving everything a graph claims: order, arity, types, paths."""

from __future__ import annotations

from inception_search.errors import ShapeError
from inception_search.graph.graph import Graph, GraphBuilder
from inception_search.graph.op import Op
from inception_search.graph.ops import OPS, find_op


def verify(graph: Graph) -> Graph:
    """``graph`` itself when it is sound; else a :class:`ShapeError` at the first node that is not."""
    builder = GraphBuilder()
    for index, node in enumerate(graph.nodes):
        if not _is_known(node.op):
            raise ShapeError("unknown op", path=node.path, found=node.op)
        if any(not 0 <= i < index for i in node.inputs):
            raise ShapeError("a node reads a later node", path=node.path, found=node.inputs)
        builder.add(node.op, node.inputs, node.path)
        if builder.type(index) != node.type:
            raise ShapeError(
                "a node's type is not what its op infers",
                path=node.path,
                found=str(node.type),
                expected=str(builder.type(index)),
            )
    if not graph.outputs or any(not 0 <= i < len(graph.nodes) for i in graph.outputs):
        raise ShapeError("the outputs are not nodes of the graph", found=graph.outputs)
    return graph


def _is_known(op: object) -> bool:
    """Whether ``op`` is in the table of this package, or another package adds it."""
    return isinstance(op, Op) and (OPS.get(op.name) is type(op) or find_op(op.name) is type(op))
