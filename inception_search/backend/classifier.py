"""Another classifier in a compiled network, in the place of the old one."""

from __future__ import annotations

import torch
from torch import nn

from inception_search.backend.build import build
from inception_search.backend.network_module import NetworkModule
from inception_search.lowering import lower
from inception_search.spec.network import Network

_HEADS = ("head", "aux")


def replace_head(module: NetworkModule, network: Network) -> None:
    """Make ``module`` the one of ``network``, which differs in its head only: classifiers are new, the rest is kept.

    New layers come on the device, in the dtype and in the mode of ``module``.
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
    module.remember(network=network, stages=fresh.recall("stages"), shapes=fresh.recall("shapes"), classes=None)


def _keep_layers(part: nn.Module, old: nn.Module) -> None:
    """Put the layers of ``old`` in their places in ``part`` where they are the same there; never a classifier."""
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
