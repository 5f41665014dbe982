"""RMSProp as in the Inception papers: TensorFlow's version, which differs from ``torch.optim.RMSprop``.

The differences matter with an epsilon of 1. Epsilon is inside the root, mean squares start at one, and the learning
rate is inside the momentum, so that a change of rate does not rescale earlier steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class RMSProp(Optimizer):
    """``square = alpha * square + (1 - alpha) * g**2``; ``v = momentum * v + lr * g / sqrt(square + eps)``; ``p -= v``.

    ``weight_decay`` is added to the gradient ``g``. ``lr`` of a group may be a 0-dimensional tensor on the device of
    its parameters. The step never waits for the GPU, so that it can be recorded as a CUDA graph.
    """

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        *,
        lr: float,
        alpha: float = 0.9,
        eps: float = 1.0,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "alpha": alpha, "eps": eps, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(groups, defaults)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient; ``closure`` is not used."""
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            if parameters:
                self._move(parameters, group)

    def _move(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        squares, velocities = self._state_of(parameters)
        gradients = [p.grad for p in parameters if p.grad is not None]
        if group["weight_decay"]:
            gradients = list(torch._foreach_add(gradients, parameters, alpha=group["weight_decay"]))
        torch._foreach_mul_(squares, group["alpha"])
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - group["alpha"])
        roots = list(torch._foreach_add(squares, group["eps"]))
        torch._foreach_sqrt_(roots)
        steps = torch._foreach_div(gradients, roots)
        torch._foreach_mul_(steps, group["lr"])
        torch._foreach_mul_(velocities, group["momentum"])
        torch._foreach_add_(velocities, steps)
        torch._foreach_sub_(parameters, velocities)

    def _state_of(self, parameters: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Mean squares and velocities in the memory layout of the parameters; created on first use."""
        for p in parameters:
            if not self.state[p]:
                self.state[p] = {"square": torch.ones_like(p), "velocity": torch.zeros_like(p)}
        return [self.state[p]["square"] for p in parameters], [self.state[p]["velocity"] for p in parameters]
