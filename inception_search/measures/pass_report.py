"""What each pass does to a graph: places, ops, kernels, bytes, and measured times before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from inception_search.graph.graph import Graph, Node
from inception_search.graph.op import Op
from inception_search.graph.ops import (
    Act,
    AdaptivePool,
    BatchNorm,
    Conv,
    Flatten,
    GlobalPool,
    Input,
    Linear,
    Narrow,
    Pool,
)
from inception_search.graph.types import FLOAT_BYTES
from inception_search.passes import PASSES
from inception_search.passes.rewrite import PassResult

Timer: TypeAlias = Callable[[Graph, Graph], tuple[float, float]]
"""Milliseconds of two graphs, which may be parts of a network with several inputs and outputs."""

VIEWS = (Input, Narrow, Flatten)  # ops that compute nothing
# Kinds of kernels in the order in which they are shown; other ops are "other".
KERNELS: dict[str, tuple[type[Op], ...]] = {
    "convolutions": (Conv,),
    "linear": (Linear,),
    "norms": (BatchNorm,),
    "activations": (Act,),
    "pools": (Pool, AdaptivePool, GlobalPool),
}
OTHER = "other"


@dataclass(frozen=True)
class Size:
    """The ops of a graph, and what they compute on.

    Args:
        ops: all ops but the input.
        kernels: those that compute something, by kind: all but views.
        activation_bytes: of the outputs of the kernels.
        weight_bytes: of the weights and biases.
    """

    ops: int = 0
    kernels: Mapping[str, int] = field(default_factory=dict)
    activation_bytes: int = 0
    weight_bytes: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(
            self.ops + other.ops,
            Counter(self.kernels) + Counter(other.kernels),
            self.activation_bytes + other.activation_bytes,
            self.weight_bytes + other.weight_bytes,
        )


@dataclass(frozen=True)
class Side:
    """A graph before or after a pass: its size, and its milliseconds, or None if they are not measured."""

    size: Size
    milliseconds: float | None


@dataclass(frozen=True)
class Place:
    """A place that a pass changed."""

    path: str
    before: Side
    after: Side


@dataclass(frozen=True)
class PassRow:
    """What one pass changed; sizes and times are sums over the places."""

    name: str
    summary: str
    places: tuple[Place, ...]

    @property
    def before(self) -> Side:
        """All places before the pass."""
        return _sum(place.before for place in self.places)

    @property
    def after(self) -> Side:
        """All places after it."""
        return _sum(place.after for place in self.places)


@dataclass(frozen=True)
class PassReport:
    """What some passes did to a graph, one after the other."""

    rows: tuple[PassRow, ...]
    before: Side
    after: Side


def pass_report(
    graph: Graph,
    result: PassResult,
    names: Iterable[str],
    *,
    timer: Timer | None = None,
    batch_size: int = 1,
    number_bytes: int = FLOAT_BYTES,
    progress: Callable[[int, int], object] = lambda _done, _total: None,
) -> PassReport:
    """Report what each pass did to ``graph``.

    Args:
        graph: the graph of a network or module.
        result: the same after passes.
        names: the passes that were run, in order.
        timer: measures a graph before and after (default: nothing is measured).
        batch_size: images in a batch.
        number_bytes: bytes of a number.
        progress: is called with the number of measured places and the number of all.
    """
    sides = _Sides(timer, batch_size, number_bytes)
    whole = sides.of(graph, result.graph)
    places: dict[str, list[Place]] = {name: [] for name in names}
    for done, change in enumerate(result.changes):
        progress(done, len(result.changes))
        places[change.name].append(Place(change.path, *sides.of(change.before, change.after)))
    rows = (PassRow(name, PASSES[name].summary, tuple(own)) for name, own in places.items())
    return PassReport(tuple(rows), *whole)


def size_of(graph: Graph, batch_size: int = 1, number_bytes: int = FLOAT_BYTES) -> Size:
    """The size of all nodes of ``graph`` for a batch."""
    computing = [node for node in graph.nodes if not isinstance(node.op, VIEWS)]
    kinds = Counter(_kind(node.op) for node in computing)
    return Size(
        ops=sum(not isinstance(node.op, Input) for node in graph.nodes),
        kernels={kind: kinds[kind] for kind in (*KERNELS, OTHER) if kinds[kind]},
        activation_bytes=sum(node.type.numel for node in computing) * batch_size * number_bytes,
        weight_bytes=sum(_params(graph, node) for node in computing) * number_bytes,
    )


def _kind(op: Op) -> str:
    return next((kind for kind, ops in KERNELS.items() if isinstance(op, ops)), OTHER)


def _params(graph: Graph, node: Node) -> int:
    return node.op.cost(graph.input_types(node), node.type).params


def _sum(sides: Iterable[Side]) -> Side:
    size, times = Size(), list[float | None]()
    for side in sides:
        size += side.size
        times.append(side.milliseconds)
    return Side(size, None if None in times else sum(time for time in times if time is not None))


class _Sides:
    """Graphs before and after; equal computations are measured once, wherever they are."""

    def __init__(self, timer: Timer | None, batch_size: int, number_bytes: int) -> None:
        self.timer, self.batch_size, self.number_bytes = timer, batch_size, number_bytes
        self.known: dict[object, tuple[Side, Side]] = {}

    def of(self, before: Graph, after: Graph) -> tuple[Side, Side]:
        key = _computation(before), _computation(after)
        if key not in self.known:
            times = (None, None) if self.timer is None else self.timer(before, after)
            self.known[key] = self.side(before, times[0]), self.side(after, times[1])
        return self.known[key]

    def side(self, graph: Graph, milliseconds: float | None) -> Side:
        size = size_of(graph, self.batch_size, self.number_bytes)
        return Side(size, milliseconds if size.kernels or milliseconds is None else 0.0)


def _computation(graph: Graph) -> object:
    """The graph without paths."""
    return tuple((node.op, node.inputs) for node in graph.nodes), graph.outputs
