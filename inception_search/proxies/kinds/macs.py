"""Multiply-adds (MACs): the second baseline."""

from __future__ import annotations

from inception_search.proxies.probe import Probe


def macs(probe: Probe) -> float:
    """Multiply-adds for one image, without auxiliary classifiers."""
    return float(probe.graph.cost().macs)
