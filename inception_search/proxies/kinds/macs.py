"""Multiply-adds: the second baseline."""

from __future__ import annotations

from inception_search.proxies.probe import Probe


def macs(probe: Probe) -> float:
    """Multiply-adds for one image, auxiliary classifiers left out."""
    return float(probe.graph.cost().macs)
