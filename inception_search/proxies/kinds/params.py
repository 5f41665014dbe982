"""Parameters: the first baseline."""

from __future__ import annotations

from inception_search.proxies.probe import Probe


def params(probe: Probe) -> float:
    """The number of parameters, without auxiliary classifiers."""
    return float(probe.graph.cost().params)
