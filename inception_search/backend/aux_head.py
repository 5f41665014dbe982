"""Auxiliary classifiers: modules that compute in training and cost nothing at inference."""

from __future__ import annotations

import torch
from torch import fx, nn


class AuxHead(nn.Module):
    """The modules of one auxiliary classifier and the program that runs them.

    (N, C, H, W) to logits (N, classes) in training mode; None in evaluation mode.
    """

    def __init__(self, root: nn.Module, graph: fx.Graph) -> None:
        super().__init__()
        program = fx.GraphModule(root, graph, class_name="AuxHead")
        for name, child in program.named_children():
            self.add_module(name, child)
        # Unregistered: the program shares the children above, and must not show in state_dict a second time.
        object.__setattr__(self, "_program", program)

    def forward(self, x: torch.Tensor) -> torch.Tensor | None:
        """Logits in training, else None."""
        if not self.training:
            return None
        logits: torch.Tensor = self._program(x)  # type: ignore[operator]
        return logits


def with_auxiliary(logits: torch.Tensor, *aux: torch.Tensor | None) -> torch.Tensor | tuple[torch.Tensor, ...]:
    """(logits, aux, ...) when the auxiliary heads have computed, else the logits alone."""
    given = [value for value in aux if value is not None]
    return (logits, *given) if given else logits
