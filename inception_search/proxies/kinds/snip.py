"""SNIP (Lee, Ajanthan, Torr: "SNIP: Single-shot Network Pruning based on Connection Sensitivity", 1810.02340,
section 4), as a score of the whole network in 2101.08134, section 3.2 (equation 1): the first-order change of the
loss when a single weight is removed, summed over all weights.
"""

from __future__ import annotations

from inception_search.proxies.probe import Probe


def snip(probe: Probe) -> float:
    """sum over weights of |w dL/dw|, not normalised; convolutions and linear layers, without biases."""
    return sum(float((weight * gradient).double().abs().sum()) for weight, gradient in probe.gradients)
