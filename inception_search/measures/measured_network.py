"""A network with cached measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from inception_search.estimate import estimate
from inception_search.graph.graph import Graph
from inception_search.graph.receptive_field import Field, receptive_field
from inception_search.graph.types import Cost
from inception_search.lowering import lower
from inception_search.measures.target import Target, check_network
from inception_search.spec.network import Network
from inception_search.spec.transform import set_classes, set_input


@dataclass
class MeasuredNetwork:
    """One network; cost, graph, receptive field and latencies (by target) are computed on first access and cached.

    When ``late()`` is true, no further op is timed, and TimeUpError is raised.
    """

    network: Network
    latencies: dict[Target, float] = field(default_factory=dict)
    late: Callable[[], bool] | None = None

    def __post_init__(self) -> None:
        check_network(self.network)

    @cached_property
    def cost(self) -> Cost:
        """Parameters, multiply-adds, activation bytes and depth for one image, without the graph."""
        return estimate(self.network)

    @cached_property
    def graph(self) -> Graph:
        """The typed graph, without auxiliary classifiers."""
        return lower(self.network, aux=False)

    @cached_property
    def field(self) -> Field:
        """The receptive field in pixels."""
        return receptive_field(self.graph)

    def latency(self, target: Target) -> float:
        """Milliseconds for one batch on ``target``."""
        if target not in self.latencies:
            from inception_search.measures.latency import graph_latency

            self.latencies[target] = graph_latency(self.graph, target, late=self.late)
        return self.latencies[target]

    @property
    def known_latency(self) -> float | None:
        """Milliseconds on the first target with a cached latency; None if there is none."""
        return next(iter(self.latencies.values()), None)

    def least_latency(self, target: Target) -> float:
        """Milliseconds of its smallest op, which is a lower bound of the latency."""
        from inception_search.measures.latency import smallest_op_latency

        return smallest_op_latency(self.graph, target)

    def counts(self) -> dict[str, int]:
        """The measures that need no device, by name."""
        return {**self.cost.to_dict(), "receptive_field": self.field.side}


def at_size(network: Network, shape: tuple[int, int, int] | None = None, classes: int | None = None) -> Network:
    """``network`` for images of ``shape`` (C, H, W) with ``classes`` classes; None leaves a value unchanged."""
    if shape is not None:
        channels, height, width = shape
        network = set_input(network, channels=channels, height=height, width=width)
    return network if classes is None else set_classes(network, classes)
