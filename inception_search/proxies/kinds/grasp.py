"""GraSP (Wang, Zhang, Grosse: "Picking Winning Tickets Before Training by Preserving Gradient Flow", 2002.07376,
section 4), as a score of the whole network in 2101.08134, section 3.2 (equation 1): the first-order change of the
squared gradient norm when a single weight is removed, summed over all weights.

The sign is that of 2101.08134, -(H g) w. The loss is the plain cross-entropy of one batch: the temperature of the
GraSP paper's code (200) is 1, as in the code of 2101.08134. It is the least reliable proxy: the sign of its
correlation with accuracy differs between spaces.
"""

from __future__ import annotations

from inception_search.proxies.probe import Probe, gradients, weights_of


def grasp(probe: Probe) -> float:
    """-sum over weights of w (H g), with g = dL/dw and H the Hessian of L; without biases."""
    module = probe.module()
    weights = weights_of(module, probe.graph)
    first = gradients(probe.loss(module, probe.data), weights, create_graph=True)
    length = sum((g * g.detach()).sum() for g in first)  # its derivative is H g, because one factor is detached
    second = gradients(length, weights)  # type: ignore[arg-type]
    return -sum(float((w.detach() * h).double().sum()) for w, h in zip(weights, second, strict=True))
