"""``compile``: a network document to a PyTorch module, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from inception_search.backend.emit import emit
from inception_search.errors import CompileError, raw
from inception_search.graph.graph import Graph
from inception_search.graph.ops import Act, Conv


def build(graph: Graph, *, name: str, seed: int | None = None, init: bool = True) -> nn.Module:
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


def initialise(module: nn.Module, graph: Graph) -> nn.Module:
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
