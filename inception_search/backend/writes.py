"""Writes that torch does not count in the version of a tensor, for values that are computed once and kept.

An optimizer with ``fused=True`` and a batch norm in training mode write to tensors without a new version.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import increment_version
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.weak import WeakIdKeyDictionary

_COUNTER = "num_batches_tracked"
_watched: WeakIdKeyDictionary = WeakIdKeyDictionary()


def watch_steps(tensors: Iterable[Tensor]) -> None:
    """Give these tensors a new version in every step of an optimizer, fused ones included."""
    _register()
    for tensor in tensors:
        if isinstance(tensor, nn.Parameter):
            _watched[tensor] = True


def counters(places: Iterable[tuple[nn.Module, str]]) -> list[tuple[nn.Module, str]]:
    """The counters of batches of the batch norms in ``places``: they get a new version when statistics change."""
    norms = [layer for layer, name in places if name == "running_mean"]
    return [(layer, _COUNTER) for layer in norms if isinstance(getattr(layer, _COUNTER, None), Tensor)]


def mark_statistics_written(norms: Iterable[nn.Module]) -> None:
    """Give the counters of these batch norms a new version, without counting.

    The statistics cannot have one: autograd would take it for a write between forward and backward.
    """
    for norm in norms:
        counter = getattr(norm, _COUNTER, None)
        if counter is not None and not counter.is_inference():
            increment_version(counter)


@cache
def _register() -> None:
    register_optimizer_step_post_hook(_count_step)


def _count_step(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    for group in optimizer.param_groups:
        if group.get("fused"):
            increment_version([p for p in group["params"] if p in _watched and not p.is_inference()])
