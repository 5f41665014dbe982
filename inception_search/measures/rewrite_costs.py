"""A model of what a graph costs on a device, by which rewrites are chosen.

Every op costs a fixed time, a time for each byte that it reads and writes, and a time for each multiply-add, where
filters and input channels count in full vectors of 16. The coefficients of each kind of op are measured once for a
device, dtype and phase (in a second) and kept in the user's cache beside the latencies. Three costs that are not ops
are modelled too: a convolution that reads some channels of a larger feature map copies them first; in training, a value
with several readers adds up as many gradients, and an activation before a concatenation reads its part of a larger
gradient, pixel by pixel, which is slower than a gradient of its own.

The choice is a function of the coefficients and the graph alone, so that two runs with the same cache make the same
choice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from inception_search.graph.graph import Graph, GraphBuilder, Node
from inception_search.graph.op import Op
from inception_search.graph.ops import Act, Add, BatchNorm, Concat, Conv, Flatten, Input, Linear, Narrow, Pool
from inception_search.graph.types import FLOAT_BYTES
from inception_search.measures import timing
from inception_search.measures.latency_table import LatencyTable, default_file, table
from inception_search.measures.target import Target
from inception_search.passes.rewrite import Phase, Site, readers

if TYPE_CHECKING:
    from collections.abc import Sequence

Dtype: TypeAlias = Literal["float32", "bfloat16"]
LANES = 16  # channels in a vector of 512 bits; kernels compute full vectors
_CHANNELS, _SIDE, _BATCH = 32, 16, 32  # of the large feature maps that are timed: a few MB, as in a small network
_FEW = 8  # channels of a branch in a small network
_ROUNDS = 3  # of a measurement
_LEAST_GAIN = 0.03  # a rewrite that is predicted to save less than this share is not applied


class Coefficients(NamedTuple):
    """Milliseconds of one call, of a byte, and of a multiply-add."""

    call: float
    byte: float
    mac: float


@dataclass(frozen=True)
class CostModel:
    """The predicted cost of graphs on a device in a phase; made by :func:`cost_model`."""

    kinds: Mapping[str, Coefficients]
    phase: Phase
    batch_size: int
    bytes_of_number: int

    def milliseconds(self, graph: Graph) -> float:
        """The predicted time of ``graph``: of a forward pass, in training of a backward pass as well."""
        read_by = readers(graph)
        return sum(self._node(graph, index, node, read_by) for index, node in enumerate(graph.nodes))

    def pays(self, site: Site) -> bool:
        """Whether the rewrite is predicted to save time at ``site``."""
        before = self.milliseconds(site.before_read)
        return self.milliseconds(site.after_read) < before * (1 - _LEAST_GAIN)

    def _node(self, graph: Graph, index: int, node: Node, read_by: Sequence[Sequence[int]]) -> float:
        inputs = [graph.nodes[i] for i in node.inputs]
        total = self._op(node, inputs)
        inside = [i for i in read_by[index] if i >= 0]
        if self.phase == "training" and len(inside) > 1:
            narrow = [i for i in inside if isinstance(graph.nodes[i].op, Narrow)]
            separate = len(inside) - max(len(narrow) - 1, 0)  # all views of a value give it one gradient
            total += (separate - 1) * self._of("add", 3 * self._bytes(node))
            total += self._of("concat", 2 * self._bytes(node)) if len(narrow) > 1 else 0.0
        if self.phase == "training" and isinstance(node.op, Act | BatchNorm):
            joins = [i for i in inside if isinstance(graph.nodes[i].op, Concat)]
            total += len(joins) * self._of("part", float(node.type.numel // node.type.channels * self.batch_size))
        if isinstance(node.op, Conv | Pool) and any(isinstance(each.op, Narrow) for each in inputs):
            times = 2 if self.phase == "training" else 1  # the backward pass copies them again
            total += times * self._of("copy", 2 * self._bytes(inputs[0]))
        return total

    def _op(self, node: Node, inputs: Sequence[Node]) -> float:
        if isinstance(node.op, Input | Narrow | Flatten):
            return 0.0
        moved = self._bytes(node) + sum(map(self._bytes, inputs))
        return self._of(kind_of(node.op), moved, self.batch_size * _full_macs(node, inputs))

    def _of(self, kind: str, moved: float, macs: float = 0.0) -> float:
        one = self.kinds[kind]
        return one.call + one.byte * moved + one.mac * macs

    def _bytes(self, node: Node) -> float:
        return float(node.type.numel * self.batch_size * self.bytes_of_number)


def kind_of(op: Op) -> str:
    """The kind of op whose coefficients ``op`` has: of those with a row in :data:`_SAMPLES`."""
    if isinstance(op, Conv):
        return "conv" if op.groups == 1 else "grouped"
    if isinstance(op, Linear):
        return "linear"
    name = f"pool_{'max' if op.mode == 'max' else 'avg'}" if isinstance(op, Pool) else op.name
    return name if name in _SAMPLES else "other"


def _full_macs(node: Node, inputs: Sequence[Node]) -> float:
    """Multiply-adds of one image, with channels rounded up to full vectors."""
    op = node.op
    if isinstance(op, Linear):
        return float(inputs[0].type.channels * _full(op.width))
    if not isinstance(op, Conv):
        return 0.0
    positions = node.type.numel // op.width
    if op.groups > 1:
        return float(op.cost((inputs[0].type,), node.type).macs)
    return float(_full(inputs[0].type.channels) * _full(op.width) * op.kernel[0] * op.kernel[1] * positions)


def _full(channels: int) -> int:
    return -(-channels // LANES) * LANES


Sample: TypeAlias = tuple[Op, tuple[int, ...], int]  # an op, the shape of each of its inputs, their number


def _samples(op: Callable[[int], Op], inputs: int = 1) -> list[Sample]:
    """A tiny and a large call of an op that has no multiply-adds."""
    return [(op(8), (8, 2, 2), inputs), (op(_CHANNELS), (_CHANNELS, _SIDE, _SIDE), inputs)]


def _convs(groups: bool) -> list[Sample]:
    """A tiny convolution, one that moves many bytes for its work, and one that computes much for its bytes."""
    own = (lambda c: c) if groups else (lambda _c: 1)
    return [
        (Conv(8, (1, 1), groups=own(8)), (8, 2, 2), 1),
        (Conv(_CHANNELS, (1, 1), groups=own(_CHANNELS)), (_CHANNELS, _SIDE, _SIDE), 1),
        (Conv(_CHANNELS, (3, 3), padding=(1, 1), groups=own(_CHANNELS)), (_CHANNELS, _SIDE, _SIDE), 1),
    ]


# Kind of op -> calls of growing size whose times give its coefficients.
_SAMPLES: dict[str, list[Sample]] = {
    "conv": _convs(groups=False),
    "grouped": _convs(groups=True),
    "linear": [(Linear(8), (8,), 1), (Linear(64), (64,), 1), (Linear(512), (512,), 1)],
    "batch_norm": _samples(lambda _c: BatchNorm()),
    "act": _samples(lambda _c: Act()),
    "pool_max": _samples(lambda _c: Pool("max", (3, 3), padding=(1, 1))),
    "pool_avg": _samples(lambda _c: Pool("avg", (3, 3), padding=(1, 1))),
    "add": _samples(lambda _c: Add(), 2),
    "concat": _samples(lambda _c: Concat(), 2),
    "other": _samples(lambda _c: Act("gelu")),
}


def cost_model(phase: Phase, target: Target, *, dtype: Dtype = "float32", cache: str | Path | None = None) -> CostModel:
    """The cost model of a device, measured at the first use.

    Args:
        phase: a forward and backward pass of a network in training, or a forward pass in evaluation.
        target: the device, its CPU threads, and the images in a batch.
        dtype: of activations; with bfloat16, convolutions and linear layers compute under autocast in training.
        cache: the file with the coefficients (default: the cache of latencies).
    """
    known = table(Path(cache).expanduser().absolute() if cache is not None else default_file())
    prefix = f"cost of {{}}; {phase}; {dtype}; {timing.facts_of(target)}"
    kinds = {kind: _known(known, prefix.format(kind)) for kind in (*_SAMPLES, "copy", "part")}
    if any(found is None for found in kinds.values()):
        _measure(known, prefix, phase, target, dtype)
        kinds = {kind: _known(known, prefix.format(kind)) for kind in kinds}
    number = FLOAT_BYTES if dtype == "float32" else FLOAT_BYTES // 2
    return CostModel({kind: found for kind, found in kinds.items() if found}, phase, target.batch_size, number)


def _known(known: LatencyTable, key: str) -> Coefficients | None:
    found = [known.get(f"{key}; per {unit}") for unit in Coefficients._fields]
    return None if None in found else Coefficients(*(value for value in found if value is not None))


def _measure(known: LatencyTable, prefix: str, phase: Phase, target: Target, dtype: Dtype) -> None:
    """Measure the coefficients and put them into the cache; those that another process has put there count."""
    for kind, samples in _SAMPLES.items():
        costs = [_timed(sample, phase, target, dtype) for sample in samples]
        _put(known, prefix.format(kind), _solved(costs))
        if kind == "act":  # reads and writes each number once in the forward pass, as a copy does
            forward = costs if phase == "inference" else [_timed(s, "inference", target, dtype) for s in samples]
            _put(known, prefix.format("copy"), _solved(forward))
    _put(known, prefix.format("part"), _cost_of_part(phase, target, dtype))
    known.save()


def _cost_of_part(phase: Phase, target: Target, dtype: Dtype) -> Coefficients:
    """What it costs for each pixel that an activation reads its part of the gradient of a concatenation."""
    if phase == "inference":
        return Coefficients(0.0, 0.0, 0.0)
    shape, batch = (_FEW, 2 * _SIDE, 2 * _SIDE), Target(target.device, target.threads, _BATCH)
    times = []
    for before in (True, False):
        builder = GraphBuilder()
        inputs = [builder.add(Input(shape), (), f"x{number}") for number in range(2)]
        if before:
            inputs = [builder.add(Act(), (value,), f"act{value}") for value in inputs]
        value = builder.add(Concat(), tuple(inputs), "concat")
        graph = builder.build(value if before else builder.add(Act(), (value,), "act"))
        times.append(timing.time_part(graph, batch, phase, dtype, _ROUNDS))
    pixels = len(inputs) * shape[1] * shape[2] * _BATCH
    return Coefficients(0.0, max(times[0] - times[1], 0.0) / pixels, 0.0)


def _put(known: LatencyTable, key: str, found: Coefficients) -> None:
    for unit, value in zip(Coefficients._fields, found, strict=True):
        known.put(f"{key}; per {unit}", value)


def _timed(sample: Sample, phase: Phase, target: Target, dtype: Dtype) -> tuple[float, float, float]:
    """Milliseconds of a sample, its bytes and its multiply-adds."""
    op, shape, count = sample
    builder = GraphBuilder()
    inputs = tuple(builder.add(Input(shape), (), f"x{number}") for number in range(count))
    graph = builder.build(builder.add(op, inputs, "op"))
    node, read = graph.nodes[-1], [graph.nodes[i] for i in inputs]
    number = FLOAT_BYTES if dtype == "float32" else FLOAT_BYTES // 2
    moved = number * _BATCH * (node.type.numel + sum(each.type.numel for each in read))
    batch = Target(target.device, target.threads, _BATCH)
    return timing.time_part(graph, batch, phase, dtype, _ROUNDS), moved, _BATCH * _full_macs(node, read)


def _solved(costs: Sequence[tuple[float, float, float]]) -> Coefficients:
    """The coefficients that give the measured times, none of them negative."""
    call = costs[0][0]
    rest = [(max(time - call, 0.0), moved, macs) for time, moved, macs in costs[1:]]
    if len(rest) == 1:
        time, moved, _ = rest[0]
        return Coefficients(call, time / moved, 0.0)
    (t1, b1, m1), (t2, b2, m2) = rest
    determinant = b1 * m2 - b2 * m1
    byte, mac = (t1 * m2 - t2 * m1) / determinant, (b1 * t2 - b2 * t1) / determinant
    if byte < 0 or not math.isfinite(byte):
        return Coefficients(call, 0.0, t2 / m2)
    return Coefficients(call, byte, 0.0) if mac < 0 else Coefficients(call, byte, mac)
