"""Statistics of a network that need no space: shares of operations, branches, depth, costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from inception_search.edits.summary import steps_of
from inception_search.spec.documents.parse import network_from_data
from inception_search.spec.step import AnyStep, Block, Concat, Conv, Depthwise, Pool
from inception_search.store.record import TrialRecord

Steps = Sequence[AnyStep]
# Functions that count each statistic from a network's steps, with uses and repeats unrolled.
COUNTED: dict[str, Callable[[Steps], float]] = {
    "branches of the widest concat": lambda steps: max((len(s.branches) for s in _concats(steps)), default=1),
    "convolutions": lambda steps: len(_convolutions(steps)),
    "mean width of convolutions": lambda steps: _mean([float(c.width) for c in _plain(steps)]),
    "share of 1x1 convolutions": lambda steps: _share(steps, lambda conv: conv.kernel == (1, 1)),
    "share of factorised convolutions": lambda steps: _share(steps, _factorised),
    "share of 5x5 and larger": lambda steps: _share(steps, lambda conv: conv.kernel[0] * conv.kernel[1] >= 25),
    "pooling inside modules": lambda steps: float(sum(isinstance(s, Pool) and s.stride == 1 for s in steps)),
    "residual sums": lambda steps: float(sum(isinstance(s, Block) and s.skip != "none" for s in steps)),
}
COSTS = {
    "depth": lambda value: value,
    "receptive_field": lambda value: value,
    "params": math.log10,
    "macs": math.log10,
    "activation_bytes": math.log10,
}
NAMES = {
    "receptive_field": "receptive field",
    "params": "log parameters",
    "macs": "log multiply-adds",
    "activation_bytes": "log bytes of activations",
}


def network_statistics(record: TrialRecord) -> dict[str, float]:
    """All statistics of the network of a record, by name; raises if its document cannot be read."""
    network = network_from_data(record.network)
    steps = list(steps_of(network))
    found = {name: float(count(steps)) for name, count in COUNTED.items()}
    known = {name: value for name, value in record.cost.items() if name in COSTS and value > 0}
    return {**found, **{NAMES.get(name, name): float(COSTS[name](value)) for name, value in known.items()}}


def _concats(steps: Steps) -> list[Concat]:
    return [step for step in steps if isinstance(step, Concat)]


def _plain(steps: Steps) -> list[Conv]:
    return [step for step in steps if isinstance(step, Conv)]


def _convolutions(steps: Steps) -> list[Conv | Depthwise]:
    return [step for step in steps if isinstance(step, Conv | Depthwise)]


def _share(steps: Steps, condition: Callable[[Conv], bool]) -> float:
    convs = _plain(steps)
    return sum(map(condition, convs)) / len(convs) if convs else 0.0


def _factorised(conv: Conv) -> bool:
    return conv.factor != "none" or (1 in conv.kernel and conv.kernel != (1, 1))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
