"""Counts the ATen kernels that a piece of code launches: a measure of work that is the same on every machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

# Allocations with all their forms, such as empty_like; and a view whose schema does not say that it is one.
FREE = ("empty", "new_empty", "_unsafe_view")


class _Counting(TorchDispatchMode):
    """Counts every op that computes something: neither views nor allocations."""

    def __init__(self) -> None:
        super().__init__()
        self.ops: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if not _is_free(func):
            self.ops[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


def _is_free(func: Any) -> bool:
    """Whether an op only gives out memory or another view of it, or marks a range for the profiler."""
    infos = [value.alias_info for value in func._schema.returns]
    is_view = any(info is not None and not info.is_write for info in infos)
    return is_view or func.namespace == "profiler" or func.overloadpacket.__name__.startswith(FREE)


def aten_ops(work: Callable[[], Any]) -> Counter[str]:
    """The kernels that ``work`` launches: how many of each name; ``.total()`` of all."""
    with _Counting() as counting:
        work()
    return counting.ops


def training_step(
    model: nn.Module, images: Tensor, labels: Tensor, *, autocast: torch.dtype | None = None
) -> Callable[[], Tensor]:
    """A function that takes one step: forward, cross-entropy, backward, fused SGD with momentum; returns the loss.

    ``autocast``: the dtype of convolutions and matrix products on the CPU (default: that of the model).
    """
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, fused=True)
    model.train()

    def step() -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", autocast, enabled=autocast is not None):
            loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step
