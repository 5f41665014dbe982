"""How a pass rewrites a graph: it finds places, and each place states what replaces its nodes.

A pass is a function that finds :class:`Match` objects. :meth:`Pass.run` replaces those that do not overlap and that
``choose`` accepts, drops nodes that nothing reads any more, and repeats until nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from inception_search.errors import CompileError
from inception_search.graph.graph import Graph, GraphBuilder, Node
from inception_search.graph.op import Op
from inception_search.graph.ops import Conv, Input, Zero
from inception_search.graph.types import Type
from inception_search.passes.expressions import Expression, Stored

Phase: TypeAlias = Literal["training", "inference"]
State: TypeAlias = Mapping[str, Expression]
"""``path.name`` of every tensor of a graph, and the expression that gives it."""

_MOST_ROUNDS = 100


def plain_state(graph: Graph) -> State:
    """The state of a graph that is not rewritten: every tensor is the stored one of the same key."""
    keys = (f"{node.path}.{name}" for node in graph.nodes for name in node.op.tensors())
    return {key: Stored(key) for key in keys}


class Editor:
    """A graph under construction, with the state of its layers; given to :attr:`Match.build`."""

    def __init__(self, before: State) -> None:
        self._before = before
        self._builder = GraphBuilder()
        self.state: dict[str, Expression] = {}

    def tensor(self, node: Node, name: str) -> Expression:
        """The expression of tensor ``name`` of a node of the graph that is being rewritten."""
        return self._before[f"{node.path}.{name}"]

    def optional(self, node: Node, name: str) -> Expression | None:
        """As :meth:`tensor`, but None for a tensor that the layer does not have."""
        return self._before.get(f"{node.path}.{name}") if name in node.op.tensors() else None

    def add(self, op: Op, inputs: Sequence[int], path: str, **tensors: Expression) -> int:
        """Add a node with the given tensors; returns its index. Raises CompileError if its op has other tensors."""
        if set(tensors) != set(op.tensors()):
            found, expected = ", ".join(tensors) or "none", ", ".join(op.tensors()) or "none"
            raise CompileError(f"a pass gives a {op.name} other tensors", path=path, found=found, expected=expected)
        self.state |= {f"{path}.{name}": value for name, value in tensors.items()}
        return self._builder.add(op, tuple(inputs), path)

    def copy(self, node: Node, inputs: Sequence[int]) -> int:
        """Add a node unchanged, on ``inputs`` of the new graph."""
        return self.add(node.op, inputs, node.path, **{name: self.tensor(node, name) for name in node.op.tensors()})

    def type(self, index: int) -> Type:
        """The shape of a node of the new graph."""
        return self._builder.type(index)

    def build(self, *outputs: int) -> Graph:
        """The new graph."""
        return self._builder.build(*outputs)


Build: TypeAlias = Callable[[Editor, tuple[int, ...]], Sequence[int]]


@dataclass(frozen=True)
class Match:
    """A place where a pass applies.

    Args:
        nodes: the nodes that are replaced, by index.
        inputs: the nodes whose values the replacement reads.
        outputs: those of ``nodes`` that other nodes read.
        build: adds the replacement to an :class:`Editor`, on the new indices of ``inputs``, and returns the new index
            of each of ``outputs``.
    """

    nodes: tuple[int, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    build: Build


class Site:
    """One match in a graph, with both versions of the place as small graphs of their own."""

    def __init__(self, graph: Graph, state: State, match: Match, read_by: Sequence[Sequence[int]]) -> None:
        self.graph, self.state, self.match = graph, state, match
        self._read_by = read_by

    @property
    def path(self) -> str:
        """The common path of the replaced nodes."""
        return common_path([self.graph.nodes[index].path for index in self.match.nodes])

    @cached_property
    def before(self) -> Graph:
        """The nodes that are replaced; one input node for each value that they read."""
        return self._part(self._copied, read=False)

    @cached_property
    def after(self) -> Graph:
        """What replaces them."""
        return self._part(self._made, read=False)

    @cached_property
    def before_read(self) -> Graph:
        """As :attr:`before`, with the convolutions that read its outputs: reading a view can cost them a copy."""
        return self._part(self._copied, read=True)

    @cached_property
    def after_read(self) -> Graph:
        """As :attr:`after`, with the convolutions that read its outputs."""
        return self._part(self._made, read=True)

    def _part(self, add: Callable[[Editor, dict[int, int]], Sequence[int]], *, read: bool) -> Graph:
        editor, new = Editor(self.state), dict[int, int]()
        for number, index in enumerate(self.match.inputs):
            shape = tuple(self.graph.nodes[index].type)
            new[index] = editor.add(Input(shape), (), f"x{number}")
        outputs = add(editor, new)
        return editor.build(*(self._readers(editor, outputs) if read else outputs))

    def _copied(self, editor: Editor, new: dict[int, int]) -> Sequence[int]:
        for index in sorted(self.match.nodes):
            node = self.graph.nodes[index]
            new[index] = editor.copy(node, [new[i] for i in node.inputs])
        return [new[index] for index in self.match.outputs]

    def _made(self, editor: Editor, new: dict[int, int]) -> Sequence[int]:
        return self.match.build(editor, tuple(new[i] for i in self.match.inputs))

    def _readers(self, editor: Editor, outputs: Sequence[int]) -> Sequence[int]:
        found: list[int] = []
        for index, value in zip(self.match.outputs, outputs, strict=True):
            outside = [i for i in self._read_by[index] if i >= 0 and i not in self.match.nodes]
            convs = [node for i in outside if type((node := self.graph.nodes[i]).op) is Conv]
            found += [editor.copy(node, [value]) for node in convs] or [value]
        return found


Choose: TypeAlias = Callable[[Site], bool]


def everywhere(_site: Site) -> bool:
    """Apply a pass at every site."""
    return True


@dataclass(frozen=True)
class Change:
    """One place that a pass changed: the pass, the path, and both versions as small graphs."""

    name: str
    path: str
    before: Graph
    after: Graph


@dataclass(frozen=True)
class PassResult:
    """The result of a pass.

    Args:
        graph: the rewritten graph; the same object if nothing changed.
        state: the expressions of its tensors.
        changes: what was changed, in order.
    """

    graph: Graph
    state: State
    changes: tuple[Change, ...] = ()

    @property
    def modified(self) -> bool:
        """Whether the pass changed anything."""
        return bool(self.changes)


@dataclass(frozen=True)
class Pass:
    """A rewrite of graphs that does not change what they compute.

    Args:
        name: the name in ``optimize=[...]`` and in ``inception-search passes``.
        find: the places where it applies; they may overlap, the first of them counts.
        phases: when it is exact: in training, where gradients are the same too, or only in inference.
        summary: one line on what it does.
        costly: whether it can make a place slower, so that it needs a measurement of each place.
    """

    name: str
    find: Callable[[Graph], Iterable[Match]]
    phases: frozenset[Phase]
    summary: str
    costly: bool = False

    def run(self, graph: Graph, state: State | None = None, choose: Choose = everywhere) -> PassResult:
        """Apply the pass wherever ``choose`` accepts the site, until nothing changes.

        Args:
            graph: the graph; it is not changed.
            state: the expressions of its tensors (default: those of a plain graph).
            choose: decides for each site.

        Returns:
            The new graph and state, and what changed.
        """
        state = plain_state(graph) if state is None else state
        changes: list[Change] = []
        refused: set[str] = set()
        for _ in range(_MOST_ROUNDS):
            sites = list(self._sites(graph, state, choose, refused))
            if not sites:
                return PassResult(graph, state, tuple(changes))
            changes += (Change(self.name, site.path, site.before, site.after) for site in sites)
            graph, state = _replaced(graph, state, [site.match for site in sites])
        raise CompileError(f"the pass {self.name} does not come to an end")  # pragma: no cover - an error in a pass

    def _sites(self, graph: Graph, state: State, choose: Choose, refused: set[str]) -> Iterator[Site]:
        taken: set[int] = set()
        read_by = readers(graph)
        for match in self.find(graph):
            if taken.intersection(match.nodes):
                continue
            site = Site(graph, state, match, read_by)
            if site.path in refused:
                continue
            if choose(site):
                taken.update(match.nodes)
                yield site
            else:
                refused.add(site.path)


def _replaced(graph: Graph, state: State, matches: Sequence[Match]) -> tuple[Graph, State]:
    """The graph with the nodes of ``matches`` replaced, without nodes that no output depends on."""
    return _Replacement(graph, state, matches).result()


class _Replacement:
    def __init__(self, graph: Graph, state: State, matches: Sequence[Match]) -> None:
        self.graph, self.editor = graph, Editor(state)
        self.producer = {output: match for match in matches for output in match.outputs}
        self.new: dict[int, int] = {}

    def result(self) -> tuple[Graph, State]:
        needed = self.needed()
        for index in range(len(self.graph.nodes)):
            if index in needed:
                self.ensure(index)
        graph = self.editor.build(*(self.new[index] for index in self.graph.outputs))
        return graph, self.editor.state

    def reads(self, index: int) -> tuple[int, ...]:
        match = self.producer.get(index)
        return self.graph.nodes[index].inputs if match is None else match.inputs

    def needed(self) -> set[int]:
        """What the outputs depend on after the replacement, and the image, which a network always has."""
        images = [index for index, node in enumerate(self.graph.nodes) if isinstance(node.op, Input)]
        found, stack = set(images), list(self.graph.outputs)
        while stack:
            index = stack.pop()
            if index not in found:
                found.add(index)
                stack.extend(self.reads(index))
        return found

    def ensure(self, index: int) -> None:
        """Add the node, after everything that it reads: a replacement may read nodes later than those it replaces."""
        stack = [index]
        while stack:
            index = stack[-1]
            missing = [i for i in self.reads(index) if i not in self.new]
            if index in self.new or missing:
                stack.extend(missing) if index not in self.new else stack.pop()
                continue
            self.add(stack.pop())

    def add(self, index: int) -> None:
        inputs = tuple(self.new[i] for i in self.reads(index))
        match = self.producer.get(index)
        if match is None:
            self.new[index] = self.editor.copy(self.graph.nodes[index], inputs)
            return
        made = match.build(self.editor, inputs)
        self.new |= dict(zip(match.outputs, made, strict=True))


def readers(graph: Graph) -> list[list[int]]:
    """The nodes that read each node; an output of the graph is read by -1 as well."""
    found: list[list[int]] = [[] for _ in graph.nodes]
    for index, node in enumerate(graph.nodes):
        for i in node.inputs:
            found[i].append(index)
    for index in graph.outputs:
        found[index].append(-1)
    return found


def differentiated(graph: Graph) -> set[int]:
    """The nodes that gradients of the outputs reach: all but those whose only way to an output is through zeros."""
    found: set[int] = set()
    stack = list(graph.outputs)
    while stack:
        index = stack.pop()
        node = graph.nodes[index]
        if index not in found and not isinstance(node.op, Zero):
            found.add(index)
            stack.extend(node.inputs)
    return found


def common_path(paths: Sequence[str]) -> str:
    """One path for several nodes: what differs is in braces, as ``mixed.branches.{0.0,1.0}.conv``."""
    if len(set(paths)) == 1:
        return paths[0]
    parts = [path.split(".") for path in paths]
    start = next((i for i, names in enumerate(zip(*parts, strict=False)) if len(set(names)) > 1), min(map(len, parts)))
    end = 1 if len({part[-1] for part in parts}) == 1 and min(map(len, parts)) > start else 0  # the kind of layer
    middles = (".".join(part[start : len(part) - end]) for part in parts)
    inside = "{" + ",".join(middle or "-" for middle in middles) + "}"
    return ".".join([*parts[0][:start], inside, *parts[0][len(parts[0]) - end :]])
