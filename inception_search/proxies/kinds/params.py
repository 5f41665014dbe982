"""Parameters: the first baseline."""

from __future__ import annotations

from inception_search.proxies.probe import Probe


def params(probe: Probe) -> float:
    """Number of parameters, auxiliary classifiers left out."""
    return float(probe.graph.cost().params)
