"""Zen-Score (Lin, Wang, Sun, Chen, Sun, Qian, Li, Jin: "Zen-NAS: A Zero-Shot NAS for High-Performance Deep Image
Recognition", 2102.01063, algorithm 1): the change of the last feature maps for a small random change of the input.

Zen = log E ||f(x) - f(x + a e)|| + sum over batch norms of log s_i. x and e are from N(0, 1), a is 0.01, weights are
from N(0, 1), biases are 0, and residual links are removed. f are the feature maps before the classifier's pooling. The
norm is the Frobenius norm for one image (the authors' code sums absolute values). s_i is the root of the mean variance
of the channels at batch norm i; it restores the scale that the batch norm removed. In this implementation

- a residual block is its body without the scaling factor; sums inside a cell (dag) are not residual links;
- each batch norm of parallel branches counts, as in the formula, so width in branches counts like depth;
- a batch norm of values that do not depend on the images (after a zero) has no scale and is omitted;
- x is 16 images; the computation uses float64, because networks without batch norm overflow float32.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inception_search.graph.ops import BatchNorm
from inception_search.lowering import lower
from inception_search.proxies.probe import WEIGHTED, Probe, layers, recorded
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Block
from inception_search.spec.transform import drop_head, map_children, remake

IMAGES, ALPHA = 16, 0.01


def zen(probe: Probe) -> float:
    """The score for one random draw of weights and inputs; it needs no data."""
    graph = lower(without_residuals(headless(probe.network)), aux=False)
    module = probe.module(graph, torch.float64)
    generator = torch.Generator().manual_seed(probe.seed)
    with torch.no_grad():
        for _, layer in layers(module, graph, *WEIGHTED):
            _normal(layer, generator)
        shape = (IMAGES, *probe.network.input.shape)
        x, e = (torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2))
        with recorded(module, graph, BatchNorm, of="inputs") as normed:
            maps = module(x)
        moved = (maps - module(x + ALPHA * e)).flatten(1).norm(dim=1).mean()
        return float(moved.log() + sum(_log_scale(values) for values in normed))


def headless(network: Network) -> Network:
    """``network`` up to its last feature maps (N, C, H, W)."""
    head = remake(network.head, classifier="none", hidden=(), embedding=None, dropout=0.0)
    return drop_head(remake(network, head=head), pool="none")


def without_residuals(network: Network) -> Network:
    """``network`` with every residual block replaced by its body (and projection)."""

    def plain(step: AnyStep) -> AnyStep:
        inner = map_children(step, plain)
        if isinstance(inner, Block) and inner.skip != "none":
            return remake(inner, skip="none", stride=1, scale=1.0)
        return inner

    return remake(
        network,
        stages={name: plain(step) for name, step in network.stages.items()},
        blocks={name: plain(step) for name, step in network.blocks.items()},
    )


def _normal(layer: nn.Module, generator: torch.Generator) -> None:
    layer.get_parameter("weight").normal_(generator=generator)
    if "bias" in layer._parameters and layer._parameters["bias"] is not None:
        layer.get_parameter("bias").zero_()


def _log_scale(values: Tensor) -> Tensor:
    """log of the root of the mean over channels of the variance of ``values`` (N, C, H, W); 0 for constants."""
    variance = values.transpose(0, 1).flatten(1).var(1, unbiased=False).mean()
    return variance.log() / 2 if float(variance) > 0 else variance
