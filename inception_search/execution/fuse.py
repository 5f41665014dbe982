"""Which ops of a graph become one call: convolution, sum and activation; and which values may be overwritten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from inception_search.graph.graph import Graph, Node
from inception_search.graph.ops import OPS, Act, Add, Conv, Dropout, Flatten, Input, Linear, Narrow

_OWN = frozenset(OPS.values()) - {Dropout, Flatten, Narrow}  # the value of another op can share memory with its input


@dataclass(frozen=True)
class Step:
    """One call of the generated code.

    Args:
        node: the node whose op the call computes.
        reads: the values that it reads, by index of the node that gives them.
        value: the index of the value that it gives: that of the last of its nodes.
        addend: for a convolution: the value that is added to its result.
        act: the kind of the activation that follows; None if there is none.
        paths: the paths of all nodes of the call.
    """

    node: Node
    reads: tuple[int, ...]
    value: int
    addend: int | None = None
    act: str | None = None
    paths: tuple[str, ...] = ()

    @property
    def all_reads(self) -> tuple[int, ...]:
        """Every value that the call reads."""
        return self.reads if self.addend is None else (*self.reads, self.addend)


@dataclass
class Plan:
    """The calls in order, and what they do with memory.

    Args:
        graph: the graph.
        steps: the calls.
        output: the value that is returned.
        dead_after: for each call, the values that are not read any more.
        owners: for each value, the value whose memory it uses: itself, unless it is a view.
    """

    graph: Graph
    steps: tuple[Step, ...]
    output: int
    dead_after: tuple[tuple[int, ...], ...] = ()
    owners: dict[int, int] = field(default_factory=dict)

    def overwritable(self, position: int, value: int) -> bool:
        """Whether call ``position`` may write its result over ``value``: nothing else reads that memory later."""
        owner = self.owners[value]
        if owner != value or isinstance(self.graph.nodes[owner].op, Input):
            return False
        sharing = [v for v, o in self.owners.items() if o == owner and v != value]
        reads = Counter(self.owners[v] for v in self.steps[position].all_reads)
        return not sharing and reads[owner] == 1 and value in self.dead_after[position]


Fusable = Callable[[Node, str | None, bool], bool]
"""Whether the call of a node can also apply an activation, and add a value first."""


def plan(graph: Graph, fusable: Fusable) -> Plan:
    """The calls that compute the first output of ``graph``.

    Args:
        graph: the graph.
        fusable: whether a convolution or linear layer can be called with this activation, and with a sum before it.
    """
    steps = tuple(_Fusion(graph, fusable).steps())
    at = {step.value: position for position, step in enumerate(steps)}
    output = graph.outputs[0]
    owners: dict[int, int] = {}
    last: dict[int, int] = {}
    for position, step in enumerate(steps):
        view = bool(step.reads) and type(step.node.op) not in _OWN
        owners[step.value] = owners[step.reads[0]] if view else step.value
        for value in step.all_reads:
            last[value] = position
    dead: list[list[int]] = [[] for _ in steps]
    for value in at:
        if value in last and value != output:
            dead[last[value]].append(value)
    return Plan(graph, steps, output, tuple(map(tuple, dead)), owners)


class _Fusion:
    """Finds chains of nodes of which only the last is read outside."""

    def __init__(self, graph: Graph, fusable: Fusable) -> None:
        self.graph, self.fusable = graph, fusable
        self.main = sorted(graph.main())
        self.readers: dict[int, list[int]] = {index: [] for index in self.main}
        for index in self.main:
            for value in graph.nodes[index].inputs:
                self.readers[value].append(index)

    def steps(self) -> Iterator[Step]:
        """The calls, each at the place of its last node."""
        nodes, found = self.graph.nodes, dict[int, Step]()
        inside: set[int] = set()
        for index in self.main:
            if type(nodes[index].op) in (Conv, Linear) and index not in inside:
                step, used = self._chain(index)
                found[step.value] = step
                inside.update(used)
        for index in self.main:
            if index in found:
                yield found[index]
            elif index not in inside:
                node = nodes[index]
                yield Step(node, node.inputs, index, paths=(node.path,))

    def _chain(self, index: int) -> tuple[Step, Sequence[int]]:
        """The call of a layer with what can be joined to it, and the nodes that it replaces."""
        node, chain = self.graph.nodes[index], [index]
        addend = self._addend(index)
        if addend is not None and self.fusable(node, None, True):
            chain.append(self.readers[index][0])
        else:
            addend = None
        act = self._act(chain[-1])
        if act is not None and self.fusable(node, act, addend is not None):
            chain.append(self.readers[chain[-1]][0])
        else:
            act = None
        paths = tuple(self.graph.nodes[i].path for i in chain)
        return Step(node, node.inputs, chain[-1], addend, act, paths), chain

    def _only_reader(self, index: int) -> int | None:
        read_by = self.readers[index]
        return read_by[0] if len(read_by) == 1 and index != self.graph.outputs[0] else None

    def _addend(self, index: int) -> int | None:
        """What is added to a convolution's result and nothing else; of two convolutions, the later one adds."""
        reader = self._only_reader(index)
        if reader is None or not isinstance(self.graph.nodes[index].op, Conv):
            return None
        node = self.graph.nodes[reader]
        if not isinstance(node.op, Add) or node.op.scale != 1.0 or len(node.inputs) != 2:
            return None
        (other,) = (i for i in node.inputs if i != index)
        later = isinstance(self.graph.nodes[other].op, Conv) and other > index and self._only_reader(other) is not None
        return None if later else other

    def _act(self, index: int) -> str | None:
        reader = self._only_reader(index)
        op = None if reader is None else self.graph.nodes[reader].op
        return op.kind if isinstance(op, Act) else None
