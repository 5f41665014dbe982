"""The graph: nodes in topological order, each with its type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from inception_search.arguments import checked, checked_init, checked_on_failure
from inception_search.errors import ShapeError
from inception_search.graph.op import Op
from inception_search.graph.types import FLOAT_BYTES, Cost, Type


class Node(NamedTuple):
    """A node of a graph: its op, the indices of its inputs, the shape of its output, its path in the document."""

    op: Op
    inputs: tuple[int, ...]
    type: Type
    path: str

    @property
    def stage(self) -> str:
        """The stage that the node is in: the first part of its path."""
        return self.path.partition(".")[0]


@checked_init
@dataclass(frozen=True)
class Graph:
    """A network as a graph of ops: nodes in topological order, each with the shape of its output.

    :func:`lower` converts a network to a graph. Graphs are equal if they are the same computation with the same
    ``state_dict`` keys.

    Args:
        nodes: the nodes, each with its op, the indices of its inputs, its type (the shape of its output: (C, H, W), or
            (C,)) and its path in the document.
        outputs: indices of the outputs: the classifier first, then the auxiliary classifiers.

    >>> graph = ins.lower("nin_cifar10")
    >>> graph.nodes[0].path, str(graph.nodes[0].type)
    ('input', '3x32x32')
    >>> graph.cost().macs  # multiply-adds for one image
    222486528
    """

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]

    def cost(self) -> Cost:
        """The cost of one image: parameters, multiply-adds, bytes of activations (float32) and depth.

        Returns:
            The cost. Depth is the number of convolutions and linear layers on the longest path. Auxiliary classifiers
            are counted apart, as ``aux_params`` and ``aux_macs``.
        """
        main = self.main()
        params, macs, numel = [0, 0], [0, 0], 0
        depth = [0] * len(self.nodes)
        for index, node in enumerate(self.nodes):
            cost = node.op.cost(self.input_types(node), node.type)
            aux = index not in main
            params[aux] += cost.params
            macs[aux] += cost.macs
            numel += 0 if aux else node.type.numel
            depth[index] = max((depth[i] for i in node.inputs), default=0) + (node.op.channels == "mixes")
        return Cost(
            params[0],
            macs[0],
            numel * FLOAT_BYTES,
            depth[self.outputs[0]],
            aux_params=params[1],
            aux_macs=macs[1],
        )

    @checked
    def input_types(self, node: Node) -> tuple[Type, ...]:
        """The shapes of the inputs of ``node``: each (C, H, W), or (C,)."""
        return tuple(self.nodes[i].type for i in node.inputs)

    def main(self) -> frozenset[int]:
        """Indices of the nodes that the classifier depends on: all but those of auxiliary classifiers."""
        needed: set[int] = set()
        stack = [self.outputs[0]]
        while stack:
            index = stack.pop()
            if index not in needed:
                needed.add(index)
                stack.extend(self.nodes[index].inputs)
        return frozenset(needed)

    def __str__(self) -> str:
        """One node a line: ``%3 stem.conv = conv(%2, width=32, kernel=(3, 3)) : 32x149x149``."""
        lines = []
        for index, node in enumerate(self.nodes):
            args = [f"%{i}" for i in node.inputs] + [f"{name}={value!r}" for name, value in node.op.given().items()]
            lines.append(f"%{index} {node.path} = {node.op.name}({', '.join(args)}) : {node.type}")
        lines.append("return " + ", ".join(f"%{i}" for i in self.outputs))
        return "\n".join(lines)


class GraphBuilder:
    """Build a graph node by node; the shape of each node's output is inferred when the node is added.

    >>> from inception_search.graph.ops.act import Act
    >>> from inception_search.graph.ops.input import Input
    >>> from inception_search.graph.types import FeatureMap
    >>> builder = ins.GraphBuilder()
    >>> image = builder.add(Input(FeatureMap(3, 32, 32)), (), "input")  # (C, H, W)
    >>> act = builder.add(Act("relu"), (image,), "act")
    >>> len(builder.build(act).nodes)
    2
    """

    @checked
    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._paths: set[str] = set()

    @checked_on_failure
    def add(self, op: Op, inputs: tuple[int, ...], path: str) -> int:
        """Add a node.

        Args:
            op: the op.
            inputs: the indices of the nodes that it reads.
            path: the path of the node in the document; no two nodes may have the same path.

        Returns:
            The index of the new node.

        Raises:
            ShapeError: the inputs do not fit the op, or the path is taken.
        """
        nodes = self._nodes
        if inputs and not 0 <= min(inputs) <= max(inputs) < len(nodes):
            raise ShapeError("a node reads a node that does not exist yet", path=path, found=inputs)
        types = tuple(nodes[i].type for i in inputs)
        _check_arity(op, len(types), path)
        if path in self._paths:
            raise ShapeError("two nodes with one path", path=path, hint="give every node its own path")
        try:
            output = op.infer(types)
        except ShapeError as error:
            raise error.at(path=path) from None
        self._paths.add(path)
        nodes.append(Node(op, inputs, output, path))
        return len(nodes) - 1

    @checked
    def type(self, index: int) -> Type:
        """The shape (C, H, W), or (C,), of the output of node ``index``; ShapeError if there is no such node."""
        if not 0 <= index < len(self._nodes):
            raise ShapeError("no such node", found=index, expected=f"an index below {len(self._nodes)}")
        return self._nodes[index].type

    @checked
    def build(self, *outputs: int) -> Graph:
        """The graph of all nodes that were added.

        Args:
            outputs: the indices of the outputs: the classifier first, then the auxiliary classifiers.

        Raises:
            ShapeError: an output is not a node of the graph.
        """
        if not outputs or not 0 <= min(outputs) <= max(outputs) < len(self._nodes):
            raise ShapeError("the outputs are not nodes of the graph", found=outputs)
        return Graph(tuple(self._nodes), outputs)


def _check_arity(op: Op, count: int, path: str) -> None:
    if count == op.arity or (op.arity is None and count >= 2):
        return
    expected = f"{op.arity}" if op.arity is not None else "two or more"
    raise ShapeError(f"{op.name} reads {count} values", path=path, expected=expected)
