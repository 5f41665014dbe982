"""What a table of latencies says about a study."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from inception_search.lowering import lower
from inception_search.measures.device_table import Compared, DeviceTable
from inception_search.spec.documents.parse import network_from_data
from inception_search.store.record import TrialRecord


@dataclass(frozen=True)
class LatencyFacts:
    """What a table of latencies says about a study."""

    target: str
    """The machine and the runtime."""
    batch_size: int
    ops: int
    """The number of ops that were timed."""
    scale: float
    """By what sums of ops are multiplied."""
    estimate_error: float
    """The median relative error of an op that is estimated from others of its kind."""
    networks: tuple[Compared, ...]
    timed_share: float | None
    """The share of the best network's latency that comes from timed ops."""

    def to_dict(self) -> dict[str, Any]:
        """The facts as plain data."""
        names = {"name": "name", "whole": "whole_ms", "ops": "sum_of_ops_ms", "scaled": "scaled_sum_ms"}
        networks = [{new: getattr(each, old) for old, new in names.items()} for each in self.networks]
        own = ("target", "batch_size", "ops", "scale", "estimate_error", "timed_share")
        return {**{name: getattr(self, name) for name in own}, "networks": networks}


def latency_facts(table: DeviceTable, best: TrialRecord | None) -> LatencyFacts:
    """The facts of a study with a table; ``best`` is its best trial."""
    share = None
    if best is not None and best.network is not None:
        share = table.latency(lower(network_from_data(best.network), aux=False)).timed
    error = statistics.median(table.errors_of_estimates() or [0.0])
    return LatencyFacts(
        table.target, table.batch_size, len(table.rows), table.scale, error, tuple(table.networks), share
    )
