"""SynFlow (Tanaka, Kunin, Yamins, Ganguli: "Pruning neural networks without any data by iteratively conserving
synaptic flow", 2006.05467, algorithm 1), as a score of the whole network in 2101.08134, section 3.2.

The paper's loss is 1' |W_L| ... |W_1| 1, which is the network with absolute weights on an image of ones where all
activations are ReLU, as then every value is positive. Here it is that network in general: absolute weights and biases
(as in both papers' code), no batch norm, no local response normalisation, and every activation the identity, as ReLU
is on what is positive. Pooling, sums and concats stay.

In float64: the value grows with the depth like a product of layer sizes and overflows float32.
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
