"""One spelling for a dag: what is in series or side by side in it is written so, the rest is wired.

Every rule keeps the computation as it is: no value is added in another order, none is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from inception_search.spec.step import AnyStep, Block, Concat, Dag, DagInput, DagNode, Identity, chain, concat

Edge = tuple[int, AnyStep]  # the node that is read, and the step on the way


def reduced(dag: Dag) -> AnyStep:
    """``dag``, whose steps are in normal form, with series and branches as such: perhaps no dag at all any more.

    Nodes of one input are part of a step; a sum or concat of branches
    from one node is a block or concat; where all paths meet in a node, two dags are in series.
    """
    nodes = [_Node(n.join, [(e.node, e.step) for e in n.inputs], n.then) for n in dag.nodes]
    wires = _Wires(dict(enumerate(nodes, start=1)))
    while wires.shrink():
        pass
    return chain(*_parts(wires.numbered()))


def flat_concat(branches: Iterable[AnyStep]) -> AnyStep:
    """Branches in normal form side by side, those of concats among them spliced in."""
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
        """Apply one rule at one node; whether there was any to apply."""
        rules = (self.join_branches, self.merge_then, self.skip, self.merge_up, self.lift)
        return any(rule(number, node) for number, node in sorted(self.nodes.items()) for rule in rules)

    def join_branches(self, number: int, node: _Node) -> bool:
        """Inputs that all read one node are branches of one step, unless it is a sum that no block has."""
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
        """What follows a single input is part of its step."""
        if len(node.inputs) > 1 or node.then == Identity():
            return False
        [(source, step)] = node.inputs
        node.inputs, node.then = [(source, chain(step, node.then))], Identity()
        return True

    def skip(self, number: int, node: _Node) -> bool:
        """A node of one input that one node reads, or that only passes on, is part of the steps after it."""
        if len(node.inputs) > 1 or number == max(self.nodes):
            return False
        [(source, step)] = node.inputs
        if step != Identity() and self.readers(number) > 1:
            return False
        self.replace(number, source, step)
        return True

    def merge_up(self, number: int, node: _Node) -> bool:
        """A node of one input, the only reader of a node, is part of what follows that one."""
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
        """A step on the only way out of a node follows that node."""
        for index, (source, step) in enumerate(node.inputs):
            if source and step != Identity() and self.readers(source) == 1:
                above = self.nodes[source]
                above.then = chain(above.then, step)
                node.inputs[index] = (source, Identity())
                return True
        return False

    def readers(self, number: int) -> int:
        """How many inputs read a node."""
        return sum(source == number for node in self.nodes.values() for source, _ in node.inputs)

    def replace(self, number: int, source: int, step: AnyStep) -> None:
        """Take a node away; its readers read ``step`` of ``source``."""
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
