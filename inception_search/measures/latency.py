"""Latency of a network at inference: the sum over the graph's ops, with each distinct op timed once on the device.

A convolution, its norm and its activation are separate ops, as in an uncompiled module, so the sum assumes no fusion.
Ops are timed with data in the caches, so the sum is less than the time of the whole network; benchmarks/latency.py
measures the difference. ``latency(network, whole=True)`` times the network itself. Other load on the machine increases
the measured times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

from inception_search.graph.graph import Graph
from inception_search.graph.op import Op
from inception_search.graph.ops import Input
from inception_search.graph.types import Type
from inception_search.lowering import lower
from inception_search.measures import timing
from inception_search.measures.device_table import device_table
from inception_search.measures.latency_table import LatencyTable, default_file, table
from inception_search.measures.target import Target, TimeUpError, check_network
from inception_search.spec.network import Network

OpOfTypes: TypeAlias = tuple[Op, tuple[Type, ...]]


def latency(
    network: Network,
    *,
    device: str = "cpu",
    batch_size: int = 1,
    threads: int | None = None,
    whole: bool = False,
    cache: str | Path | None = None,
) -> float:
    """Milliseconds of ``network`` for ``batch_size`` images at inference, in float32 and channels_last.

    The result is the sum of the latencies of its ops, each measured once on ``device`` ("cpu", "cuda", "cuda:1"). They
    are stored in the file ``cache`` (default: ``inception-search/latency.json`` in the user's cache folder) by op,
    shapes, batch, device, CPU ``threads`` and version of torch. ``whole=True`` times the network and stores nothing.
    """
    target = Target(device, threads, batch_size)
    graph = _main_graph(network)
    if whole:
        return timing.time_graph(graph, target)
    return graph_latency(graph, target, cache)


def latency_by_path(
    network: Network,
    *,
    device: str = "cpu",
    batch_size: int = 1,
    threads: int | None = None,
    cache: str | Path | None = None,
) -> dict[str, float]:
    """Milliseconds of every op of ``network`` by its path, measured and cached as in :func:`latency`."""
    graph = _main_graph(network)
    nodes = [graph.nodes[index] for index in sorted(graph.main())]
    paths = [node.path for node in nodes if not isinstance(node.op, Input)]
    found = _op_latencies(_ops(graph), Target(device, threads, batch_size), cache, None)
    return dict(zip(paths, found, strict=True))


def _main_graph(network: Network) -> Graph:
    check_network(network)
    return lower(network, aux=False)


def graph_latency(
    graph: Graph, target: Target, cache: str | Path | None = None, late: Callable[[], bool] | None = None
) -> float:
    """The sum of the latencies of the ops that the classifier of ``graph`` depends on, in milliseconds.

    With a table of another machine, it is the scaled sum of that table.
    When ``late()`` is true, raises TimeUpError before the next op that needs timing.
    """
    if target.table is not None:
        return device_table(target.table).latency(graph).milliseconds
    return sum(_op_latencies(_ops(graph), target, cache, late))


def smallest_op_latency(graph: Graph, target: Target, cache: str | Path | None = None) -> float:
    """The latency of the op with the least work and data among those that :func:`graph_latency` sums."""
    if target.table is not None:
        return device_table(target.table).smallest(graph)
    return sum(_op_latencies(sorted(_ops(graph), key=_size)[:1], target, cache, None))


def _op_latencies(
    ops: Iterable[OpOfTypes], target: Target, cache: str | Path | None, late: Callable[[], bool] | None
) -> list[float]:
    known = table(Path(cache).expanduser().absolute() if cache is not None else default_file())
    facts = timing.facts_of(target)
    try:
        return [_op_latency(op, inputs, target, facts, known, late) for op, inputs in ops]
    finally:
        known.save()


def _size(op_of_types: OpOfTypes) -> int:
    """An estimate of an op's work: its multiply-adds, and the numbers it reads and writes."""
    op, inputs = op_of_types
    output = op.infer(inputs)
    return op.cost(inputs, output).macs + output.numel + sum(each.numel for each in inputs)


def op_key(op: Op, inputs: tuple[Type, ...], target: Target, facts: str) -> str:
    """The cache key of an op's latency, which contains everything that the latency depends on."""
    return f"{op!r} of {', '.join(map(str, inputs))}; {target.batch_size} images; {facts}"


def _ops(graph: Graph) -> list[OpOfTypes]:
    nodes = [graph.nodes[index] for index in sorted(graph.main())]
    return [(node.op, graph.input_types(node)) for node in nodes if not isinstance(node.op, Input)]


def _op_latency(
    op: Op,
    inputs: tuple[Type, ...],
    target: Target,
    facts: str,
    known: LatencyTable,
    late: Callable[[], bool] | None,
) -> float:
    key = op_key(op, inputs, target, facts)
    found = known.get(key)
    if found is None:
        if late is not None and late():
            raise TimeUpError("the time limit ended before its latency was measured")
        found = timing.time_op(op, inputs, target)
        known.put(key, found)
    return found
