"""The table of measures: a new one is a row in :data:`MEASURES`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from inception_search.errors import unknown_name
from inception_search.measures.measured_network import MeasuredNetwork
from inception_search.measures.target import Target
from inception_search.spec.network import Network

Number: TypeAlias = int | float


@dataclass(frozen=True)
class Measure:
    """A measure of a network for one image; ``words`` are its unit, in the plural."""

    of: Callable[[MeasuredNetwork, Target], Number]
    words: str
    price: int
    """The cost of measuring: 0 a fraction of a millisecond, 1 building the graph, 2 work on the device."""
    by_width: bool
    """Whether widths influence it, or only the number and kind of layers."""


MEASURES: dict[str, Measure] = {
    "params": Measure(lambda measured, _: measured.cost.params, "parameters", 0, True),
    "macs": Measure(lambda measured, _: measured.cost.macs, "multiply-adds", 0, True),
    "activation_bytes": Measure(lambda measured, _: measured.cost.activation_bytes, "bytes of activations", 0, True),
    "depth": Measure(lambda measured, _: measured.cost.depth, "layers of depth", 0, False),
    "receptive_field": Measure(lambda measured, _: measured.field.side, "pixels of receptive field", 1, False),
    "latency": Measure(lambda measured, target: measured.latency(target), "milliseconds of latency", 2, True),
}


def measure(network: Network, name: str, device: str = "cpu", latency_table: str | Path | None = None) -> Number:
    """One property of a network, measured for one image without training it.

    Args:
        network: the network.
        name: ``"params"`` (parameters), ``"macs"`` (multiply-adds of convolutions and linear layers),
            ``"activation_bytes"`` (bytes of the outputs of all ops in float32), ``"depth"`` (convolutions and linear
            layers on the longest path), ``"receptive_field"`` (receptive field of the last feature map: its smaller
            side, in pixels) or ``"latency"`` (milliseconds, the sum over ops).
        device: the device on which latency is measured: ``"cpu"``, ``"cuda"``, ``"cuda:1"``.
        latency_table: a table that ``inception-search bench`` made on another machine, for the latency there.

    Returns:
        The number, without auxiliary classifiers.

    Raises:
        UnknownNameError: the measure does not exist.
        ConfigError: the device cannot be used.

    >>> ins.measure_network("inception_v3", "receptive_field")
    1311
    >>> ins.measure_network("inception_v3", "macs")
    5713216096
    """
    return measures(network, (name,), device, latency_table)[name]


def measures(
    network: Network,
    names: Iterable[str] | None = None,
    device: str = "cpu",
    latency_table: str | Path | None = None,
) -> dict[str, Number]:
    """Several measures of ``network`` by name (default: all that need no device); shared parts are computed once."""
    chosen = tuple(name for name in MEASURES if MEASURES[name].price < 2) if names is None else tuple(names)
    for name in chosen:
        if name not in MEASURES:
            raise unknown_name("measure", name, MEASURES)
    measured, target = (
        MeasuredNetwork(network),
        Target(device, table=None if latency_table is None else str(latency_table)),
    )
    return {name: MEASURES[name].of(measured, target) for name in chosen}
