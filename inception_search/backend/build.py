"""Build the initialised PyTorch module of a graph, and replace the classifier of a module."""

from __future__ import annotations

import torch
from torch import nn

from inception_search.backend.emit import emit
from inception_search.backend.network_module import NetworkModule
from inception_search.graph.graph import Graph
from inception_search.graph.ops import Act, Conv
from inception_search.lowering import lower
from inception_search.spec.network import Network


def build(graph: Graph, *, name: str, seed: int | None = None, init: bool = True) -> NetworkModule:
    """The initialised module of ``graph``; ``seed`` makes the weights repeatable.

    With a seed, the global random state does not change.
    """
    if seed is None:
        module = emit(graph, name=name)
        return initialise(module, graph) if init else module
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = emit(graph, name=name)
        return initialise(module, graph) if init else module


def initialise(module: NetworkModule, graph: Graph) -> NetworkModule:
    """He initialisation (He et al. 2015) and zero bias for convolutions with an activation but no norm after them.

    Only the scale of these depends on the initialisation. All others keep torch's default, with which networks with
    batch norm train faster in the first few hundred steps.
    """
    for node in graph.nodes:
        if isinstance(node.op, Act) and isinstance(graph.nodes[node.inputs[0]].op, Conv):
            conv = module.get_submodule(graph.nodes[node.inputs[0]].path)
            if isinstance(conv, nn.Conv2d):
                nn.init.kaiming_normal_(conv.weight, mode="fan_in", nonlinearity="relu")
                if conv.bias is not None:
                    nn.init.zeros_(conv.bias)
    return module


_HEADS = ("head", "aux")


def replace_head(module: NetworkModule, network: Network) -> None:
    """Turn ``module`` into that of ``network``, which differs in its head only: new classifiers, all other layers kept.

    New layers have the device, dtype and mode of ``module``.
    """
    fresh = build(lower(network), name=network.name)
    like = next((value for value in module.parameters() if value.is_floating_point()), torch.empty(0))
    parts = dict(fresh.named_children())
    for name, part in parts.items():
        if name not in _HEADS:
            parts[name] = module.get_submodule(name)
            continue
        part.to(like.device, like.dtype).train(module.training)
        if name in module._modules:
            _keep_layers(part, module.get_submodule(name))
    module._modules.clear()
    module._modules.update(parts)
    module.graph = fresh.graph
    module.remember(
        network=network, classes=None, **{fact: fresh.recall(fact) for fact in ("stages", "shapes", "graph", "code")}
    )


def _keep_layers(part: nn.Module, old: nn.Module) -> None:
    """Put the layers of ``old`` into ``part`` where type and sizes agree, except classifiers."""
    for name, child in list(part.named_children()):
        before = old._modules.get(name)
        if before is None or name == "classifier":
            continue
        if next(child.children(), None) is not None:
            _keep_layers(child, before)
        elif type(before) is type(child) and _sizes(before) == _sizes(child) and repr(before) == repr(child):
            part._modules[name] = before


def _sizes(layer: nn.Module) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in layer.state_dict().items()}
