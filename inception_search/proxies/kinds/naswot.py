"""NASWOT (Mellor, Turner, Storkey, Crowley: "Neural Architecture Search without Training", ICML 2021, 2006.04647,
section 3): a network can distinguish images if different ReLUs are active for each.

The score is log |K|, where K_ij = N_A - d(c_i, c_j) is the number of units in the same state for the images i and j. A
unit is active if the input of its activation function is positive, for any kind of activation. All activations count.
Batch norm is in training mode, as in the authors' code.
"""

from __future__ import annotations

import torch

from inception_search.graph.ops import Act
from inception_search.proxies.probe import Probe, Unavailable, recorded


def naswot(probe: Probe) -> float:
    """log |K| for the batch, in float64."""
    images = probe.data.images
    module = probe.module()
    kernel = torch.zeros(len(images), len(images), dtype=torch.float64)
    with torch.no_grad(), recorded(module, probe.graph, Act, of="inputs") as inputs:
        module(images)
    if not inputs:
        raise Unavailable("the network has no activations")
    for values in inputs:
        signs = (values.flatten(1) > 0).float() * 2 - 1  # dot products: units that agree minus the others
        kernel += (signs @ signs.T + signs.shape[1]).double() / 2
    sign, logarithm = torch.linalg.slogdet(kernel)
    if float(sign) <= 0:
        raise Unavailable("some images activate the same units: the kernel is singular")
    return float(logarithm)
