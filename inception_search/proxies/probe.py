"""The view of a network for proxies: its graph, and newly built modules of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inception_search.backend.build import build
from inception_search.backend.network_module import NetworkModule
from inception_search.graph.graph import Graph
from inception_search.graph.op import Op
from inception_search.graph.ops import Conv, Dropout, Linear
from inception_search.lowering import lower
from inception_search.proxies.batch import ProxyBatch
from inception_search.spec.network import Network

WEIGHTED = (Conv, Linear)


class Unavailable(Exception):  # noqa: N818 - this is not an error; the proxy is omitted
    """A proxy has no value for this network; the message is the reason."""


@dataclass
class Probe:
    """``network`` (without auxiliary classifiers) and derived objects for proxies, built on first access.

    Every call builds a new module with ``seed``, so that one proxy's changes to weights or hooks do not affect others.
    Modules compute in training mode (batch norm uses batch statistics), but without dropout and in-place operations.
    """

    network: Network
    batch: ProxyBatch | None = None
    seed: int = 0

    @cached_property
    def graph(self) -> Graph:
        """The typed graph, without auxiliary classifiers."""
        return lower(self.network, aux=False)

    @property
    def data(self) -> ProxyBatch:
        """The batch; raises Unavailable without a batch, or if its images do not have the network's input size."""
        if self.batch is None:
            raise Unavailable("it needs images, but there are none")
        if self.batch.shape != self.network.input.shape:
            raise Unavailable(f"images of {self.batch.shape} for a network on {self.network.input.shape}")
        return self.batch

    def module(self, graph: Graph | None = None, dtype: torch.dtype = torch.float32) -> NetworkModule:
        """A new module of ``graph`` (default: the network's graph), from images (N, C, H, W) to logits (N, classes)."""
        graph = graph or self.graph
        module = build(graph, name=self.network.name, seed=self.seed).to(dtype).train()
        for part in module.modules():
            if getattr(part, "inplace", False):
                part.inplace = False  # type: ignore[assignment]
        for _, part in layers(module, graph, Dropout):
            part.eval()
        return module

    def loss(self, module: nn.Module, batch: ProxyBatch) -> Tensor:
        """Mean cross-entropy of ``module`` on ``batch``; raises Unavailable without a classifier for its labels."""
        classes = 0 if self.network.head.classifier == "none" else self.network.head.classes
        if classes <= (highest := int(batch.labels.max())):
            raise Unavailable(f"it needs a classifier of {highest + 1} classes or more")
        return F.cross_entropy(module(batch.images), batch.labels)

    @cached_property
    def gradients(self) -> list[tuple[Tensor, Tensor]]:
        """Each weight of convolutions and linear layers with the gradient of the loss, both detached."""
        module = self.module()
        weights = weights_of(module, self.graph)
        return [(w.detach(), g) for w, g in zip(weights, gradients(self.loss(module, self.data), weights), strict=True)]


def layers(module: nn.Module, graph: Graph, *kinds: type[Op]) -> list[tuple[str, nn.Module]]:
    """The layers of ``module`` built from ops of ``kinds``, with their paths, in the order of the graph."""
    paths = [node.path for node in graph.nodes if isinstance(node.op, kinds)]
    return [(path, module.get_submodule(path)) for path in paths]


def weights_of(module: nn.Module, graph: Graph) -> list[Tensor]:
    """The weights, without biases, of the convolutions and linear layers. Raises Unavailable if there are none."""
    weights: list[Tensor] = [module.get_parameter(f"{path}.weight") for path, _ in layers(module, graph, *WEIGHTED)]
    if not weights:
        raise Unavailable("the network has no weights")
    return weights


def gradients(output: Tensor, inputs: list[Tensor], *, create_graph: bool = False) -> list[Tensor]:
    """The gradients of ``output`` with respect to ``inputs``; zeros for inputs without influence on it."""
    found = torch.autograd.grad(output, inputs, create_graph=create_graph, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(inputs, found, strict=True)]


@contextmanager
def recorded(module: nn.Module, graph: Graph, *kinds: type[Op], of: str) -> Iterator[list[Tensor]]:
    """Yield a list that records the inputs or outputs (``of``) of the layers of ``kinds`` on each forward pass."""
    values: list[Tensor] = []

    def keep(_: nn.Module, inputs: tuple[Any, ...], *output: Any) -> None:
        values.append(inputs[0] if of == "inputs" else output[0])

    hooks = [
        layer.register_forward_pre_hook(keep) if of == "inputs" else layer.register_forward_hook(keep)
        for _, layer in layers(module, graph, *kinds)
    ]
    try:
        yield values
    finally:
        for hook in hooks:
            hook.remove()
