"""SynFlow (Tanaka, Kunin, Yamins, Ganguli: "Pruning neural networks without any data by iteratively conserving
synaptic flow", 2006.05467, algorithm 1), as a score of the whole network in 2101.08134, section 3.2.

The paper's loss is 1' |W_L| ... |W_1| 1. For a network with only ReLUs, this is its output for an image of ones with
absolute weights, because then every value is positive. Here the same network is used in general: weights and biases
are absolute (as in both papers' code), batch norm and local response normalisation are removed, and every activation is
the identity, as ReLU is for positive values. Pooling, sums and concats remain.

The computation uses float64: the value grows with depth like a product of layer sizes and would overflow float32.
"""

from __future__ import annotations

import torch
from torch import nn

from inception_search.graph.ops import Act, BatchNorm, Lrn
from inception_search.proxies.probe import Probe, gradients, layers, weights_of

LEFT_OUT = (Act, BatchNorm, Lrn)


def synflow(probe: Probe) -> float:
    """sum over weights of |w dR/dw|, with R the sum of the outputs for ones (1, C, H, W); without biases."""
    module = probe.module(dtype=torch.float64)
    for path, _ in layers(module, probe.graph, *LEFT_OUT):
        module.set_submodule(path, nn.Identity())
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.abs_()
    weights = weights_of(module, probe.graph)
    flow = module(torch.ones(1, *probe.network.input.shape, dtype=torch.float64)).sum()
    slopes = gradients(flow, weights)
    return sum(float((w.detach() * g).abs().sum()) for w, g in zip(weights, slopes, strict=True))
