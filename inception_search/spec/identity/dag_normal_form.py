"""The normal form of a dag: parts in series or side by side become chains and concats, only the rest stays a dag.

Every rule preserves the computation exactly: no sum changes its order, and no value is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from inception_search.spec.step import AnyStep, Block, Concat, Dag, DagInput, DagNode, Identity, chain, concat

Edge = tuple[int, AnyStep]  # the source node, and the step on the edge


def reduced(dag: Dag) -> AnyStep:
    """The normal form of ``dag``, whose steps are already in normal form; the result may not be a dag any more.

    A node of one input becomes part of a step. A sum or concat of branches from one node becomes a block or concat.
    A node where all paths meet splits the dag into two in series.
    """
    nodes = [_Node(n.join, [(e.node, e.step) for e in n.inputs], n.then) for n in dag.nodes]
    wires = _Wires(dict(enumerate(nodes, start=1)))
    while wires.shrink():
        pass
    return chain(*_parts(wires.numbered()))


def flat_concat(branches: Iterable[AnyStep]) -> AnyStep:
    """The concat of branches in normal form; the branches of nested concats are spliced in."""
    flat: list[AnyStep] = []
    for branch in branches:
        flat.extend(branch.branches if isinstance(branch, Concat) else (branch,))
    return concat(*flat)


@dataclass
class _Node:
    join: Literal["add", "concat"]
    inputs: list[Edge]
    then: AnyStep


class _Wires:
    def __init__(self, nodes: dict[int, _Node]) -> None:
        self.nodes = nodes

    def shrink(self) -> bool:
        """Apply one rule at one node; return whether one applied."""
        rules = (self.join_branches, self.merge_then, self.skip, self.merge_up, self.lift)
        return any(rule(number, node) for number, node in sorted(self.nodes.items()) for rule in rules)

    def join_branches(self, number: int, node: _Node) -> bool:
        """Make inputs that all read one node the branches of one step, unless no block can express their sum."""
        sources, steps = {source for source, _ in node.inputs}, [step for _, step in node.inputs]
        if len(steps) == 1 or len(sources) > 1:
            return False
        if node.join == "concat":
            joined: AnyStep = flat_concat(steps)
        elif len(steps) == 2 and Identity() in steps:
            joined = Block(body=steps[1 - steps.index(Identity())], skip="add")
        else:
            return False
        node.inputs = [(sources.pop(), joined)]
        return True

    def merge_then(self, number: int, node: _Node) -> bool:
        """Move ``then`` of a node with a single input into the step of that input."""
        if len(node.inputs) > 1 or node.then == Identity():
            return False
        [(source, step)] = node.inputs
        node.inputs, node.then = [(source, chain(step, node.then))], Identity()
        return True

    def skip(self, number: int, node: _Node) -> bool:
        """Move a node of one input into the steps of its readers, if it has one reader or does nothing."""
        if len(node.inputs) > 1 or number == max(self.nodes):
            return False
        [(source, step)] = node.inputs
        if step != Identity() and self.readers(number) > 1:
            return False
        self.replace(number, source, step)
        return True

    def merge_up(self, number: int, node: _Node) -> bool:
        """Move a node of one input into ``then`` of the node that it reads, if it is the only reader."""
        (source, step), *more = node.inputs
        if more or source == 0 or self.readers(source) > 1:
            return False
        above = self.nodes[source]
        above.then = chain(above.then, step)
        if number == max(self.nodes):
            self.nodes[number] = self.nodes.pop(source)
        else:
            self.replace(number, source, Identity())
        return True

    def lift(self, number: int, node: _Node) -> bool:
        """Move the step on the only edge out of a node into ``then`` of that node."""
        for index, (source, step) in enumerate(node.inputs):
            if source and step != Identity() and self.readers(source) == 1:
                above = self.nodes[source]
                above.then = chain(above.then, step)
                node.inputs[index] = (source, Identity())
                return True
        return False

    def readers(self, number: int) -> int:
        """The number of inputs that read a node."""
        return sum(source == number for node in self.nodes.values() for source, _ in node.inputs)

    def replace(self, number: int, source: int, step: AnyStep) -> None:
        """Remove a node; its readers read ``step`` of ``source`` instead."""
        del self.nodes[number]
        for node in self.nodes.values():
            node.inputs = [(source, chain(step, s)) if at == number else (at, s) for at, s in node.inputs]

    def numbered(self) -> list[_Node]:
        """The nodes with their inputs, numbered 1, 2, ... without gaps."""
        new = {0: 0} | {number: index for index, number in enumerate(sorted(self.nodes), start=1)}
        return [
            _Node(node.join, [(new[source], step) for source, step in node.inputs], node.then)
            for _, node in sorted(self.nodes.items())
        ]


def _parts(nodes: list[_Node]) -> Iterator[AnyStep]:
    """``nodes`` cut into steps in series, at every node that no edge bypasses."""
    first = 0
    for last in range(1, len(nodes) + 1):
        if all(source >= last for node in nodes[last:] for source, _ in node.inputs):
            yield from _part(nodes[first:last], first)
            first = last


def _part(nodes: list[_Node], first: int) -> Iterator[AnyStep]:
    *inner, output = nodes
    if not inner and len(output.inputs) == 1:
        yield from (output.inputs[0][1], output.then)
        return
    wired = [DagNode(join=n.join, inputs=_inputs(n, first), then=n.then) for n in inner]
    last = DagNode(join=output.join, inputs=_inputs(output, first))
    yield from (Dag(nodes=(*wired, last)), output.then)


def _inputs(node: _Node, first: int) -> tuple[DagInput, ...]:
    return tuple(DagInput(node=source - first, step=step) for source, step in node.inputs)
