"""The initialised PyTorch module of a graph."""

from __future__ import annotations

import torch
from torch import nn

from inception_search.backend.emit import emit
from inception_search.backend.network_module import NetworkModule
from inception_search.graph.graph import Graph
from inception_search.graph.ops import Act, Conv


def build(graph: Graph, *, name: str, seed: int | None = None, init: bool = True) -> NetworkModule:
    """The initialised module of ``graph``; ``seed`` makes the weights repeatable.

    The global random state is left as it was when a seed is given.
    """
    if seed is None:
        module = emit(graph, name=name)
        return initialise(module, graph) if init else module
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = emit(graph, name=name)
        return initialise(module, graph) if init else module


def initialise(module: NetworkModule, graph: Graph) -> NetworkModule:
    """He initialisation (He et al. 2015), zero bias, for convolutions an activation follows without a norm.

    They are the ones whose scale nothing else sets; all others keep torch's default, with which networks with
    batch norm train faster at a few hundred steps.
    """
    for node in graph.nodes:
        if isinstance(node.op, Act) and isinstance(graph.nodes[node.inputs[0]].op, Conv):
            conv = module.get_submodule(graph.nodes[node.inputs[0]].path)
            if isinstance(conv, nn.Conv2d):
                nn.init.kaiming_normal_(conv.weight, mode="fan_in", nonlinearity="relu")
                if conv.bias is not None:
                    nn.init.zeros_(conv.bias)
    return module
