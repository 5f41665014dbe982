"""Fisher (Theis, Korshunova, Tejani, Huszar: "Faster gaze prediction with dense networks and Fisher pruning",
1801.05787, section 2; Turner, Crowley, O'Boyle, Storkey, Gray: "BlockSwap: Fisher-guided Block Substitution for
Network Compression on a Budget", 1906.04113, section 3), as a score of the whole network in 2101.08134, section 3.2:
the change of the loss when a single channel is removed, summed over all channels.

Channels are those of the outputs of convolutions and linear layers, before batch norm, as in the code of 2101.08134;
the gradient is that of the mean loss of the batch.
"""

from __future__ import annotations

from inception_search.proxies.probe import WEIGHTED, Probe, gradients, recorded


def fisher(probe: Probe) -> float:
    """sum over channels of mean over images of (sum over positions of a dL/da)^2 / 2."""
    module = probe.module()
    with recorded(module, probe.graph, *WEIGHTED, of="outputs") as outputs:
        loss = probe.loss(module, probe.data)
    slopes = gradients(loss, outputs)
    total = 0.0
    for values, slope in zip(outputs, slopes, strict=True):
        products = (values.detach() * slope).double()
        by_channel = products.flatten(2).sum(2) if products.ndim > 2 else products  # (N, C)
        total += float(by_channel.square().mean(0).sum()) / 2
    return total
