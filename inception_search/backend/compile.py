"""``compile``: a network document to a PyTorch module, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from inception_search.backend.emit import emit
from inception_search.errors import CompileError, raw
from inception_search.graph.graph import Graph


def build(graph: Graph, *, name: str, seed: int | None = None, init: bool = True) -> nn.Module:
    """The module of ``graph`` with He-initialised convolutions; ``seed`` makes the weights repeatable.

    The global random state is left as it was when a seed is given.
    """
    if seed is None:
        module = emit(graph, name=name)
        return initialise(module) if init else module
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = emit(graph, name=name)
        return initialise(module) if init else module


def initialise(module: nn.Module) -> nn.Module:
    """Fan-in He initialisation (He et al. 2015) of convolutions, N(0, 0.01) of linear layers, zero biases."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_in", nonlinearity="relu")
        elif isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=0.01)
        if isinstance(part, nn.Conv2d | nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)
    return module


def load_weights(module: nn.Module, weights: Mapping[str, Any]) -> nn.Module:
    """``module`` with a ``state_dict`` of its own keys loaded strictly; unchanged when anything is off."""
    own = module.state_dict()
    wrong = [f"missing {key}" for key in own if key not in weights]
    wrong += [f"unknown {key}" for key in weights if key not in own]
    for key in own:
        if key in weights and tuple(weights[key].shape) != tuple(own[key].shape):
            wrong.append(f"{key}: {tuple(weights[key].shape)} for {tuple(own[key].shape)}")
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise CompileError(
            "the weights do not fit the network",
            found=raw("; ".join(wrong[:5]) + more),
            mend="use weights saved from the same document",
        )
    module.load_state_dict(dict(weights))
    return module
