"""The table of measures: a new one is a row in :data:`MEASURES`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from inception_search.errors import unknown_name
from inception_search.measures.subject import Subject
from inception_search.measures.target import Target
from inception_search.spec.network import Network

Number: TypeAlias = int | float


@dataclass(frozen=True)
class Measure:
    """A number of a network for one image; ``words`` name its unit and what it counts, in the plural."""

    of: Callable[[Subject, Target], Number]
    words: str
    price: int
    """What asking costs: 0 a fraction of a millisecond, 1 the graph, 2 work on the device."""
    by_width: bool
    """Whether widths change it, or only the number and kind of the layers."""


MEASURES: dict[str, Measure] = {
    "params": Measure(lambda subject, _: subject.cost.params, "parameters", 0, True),
    "macs": Measure(lambda subject, _: subject.cost.macs, "multiply-adds", 0, True),
    "activation_bytes": Measure(lambda subject, _: subject.cost.activation_bytes, "bytes of activations", 0, True),
    "depth": Measure(lambda subject, _: subject.cost.depth, "layers of depth", 0, False),
    "receptive_field": Measure(lambda subject, _: subject.field.side, "pixels of receptive field", 1, False),
    "latency": Measure(lambda subject, target: subject.latency(target), "milliseconds of latency", 2, True),
}


def measure(network: Network, name: str, device: str = "cpu") -> Number:
    """One measure of ``network`` for one image: params, macs, activation_bytes, depth, receptive_field or latency.

    Multiply-adds are those of convolutions and linear layers; activation bytes all op outputs in float32; depth
    the convolutions and linear layers on the longest path; the receptive field the (smaller) side in pixels of
    what one position of the last map sees; latency milliseconds on ``device`` ("cpu", "cuda", "cuda:1"), the sum
    over ops, see :func:`inception_search.measures.latency.latency`. Auxiliary classifiers do not count.
    """
    return measures(network, (name,), device)[name]


def measures(network: Network, names: Iterable[str] | None = None, device: str = "cpu") -> dict[str, Number]:
    """Several measures of ``network`` by name (default: all that need no device), each part made once."""
    wanted = tuple(name for name in MEASURES if MEASURES[name].price < 2) if names is None else tuple(names)
    for name in wanted:
        if name not in MEASURES:
            raise unknown_name("measure", name, MEASURES)
    subject, target = Subject(network), Target(device)
    return {name: MEASURES[name].of(subject, target) for name in wanted}
