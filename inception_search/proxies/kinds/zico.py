"""ZiCo (Li, Yang, Bhardwaj, Marculescu: "ZiCo: Zero-shot NAS via Inverse Coefficient of Variation on Gradients",
2301.11300, section 3): networks train well if gradients are large and vary little between batches.

The score is sum over layers of log(sum over weights of E|g| / sqrt(Var|g|)), with mean and (population) variance over
several batches at the same weights: here the four quarters of the batch. The authors' code uses the variance of g, not
of |g|, and accumulates gradients over batches; this implementation follows the formula. As in their code, weights with
constant gradients are omitted, and so are layers with no other weights.
"""

from __future__ import annotations

import torch

from inception_search.proxies.batch import LEAST
from inception_search.proxies.probe import Probe, Unavailable, gradients, weights_of

BATCHES = 4


def zico(probe: Probe) -> float:
    """The score of the batch split into four; convolutions and linear layers, without biases."""
    if len(probe.data) < BATCHES * LEAST:
        raise Unavailable(f"it needs {BATCHES * LEAST} images or more, for {BATCHES} batches")
    module = probe.module()
    weights = weights_of(module, probe.graph)
    losses = (probe.loss(module, part) for part in probe.data.parts(BATCHES))
    sizes = [[g.double().abs() for g in gradients(loss, weights)] for loss in losses]
    total, counted = 0.0, 0
    for layer in zip(*sizes, strict=True):
        seen = torch.stack(layer)
        spread = seen.std(0, unbiased=False)
        steady = (seen.mean(0) / spread)[spread > 0].sum()
        if float(steady) > 0:
            total, counted = total + float(steady.log()), counted + 1
    if not counted:
        raise Unavailable("no gradient changes from batch to batch")
    return total
