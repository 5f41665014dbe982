"""Auxiliary classifiers: they compute in training and cost nothing at inference."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from inception_search.errors import CompileError


class AuxHeads(nn.Module):
    """The auxiliary classifiers of a network by name, in the order of their taps."""

    def __init__(self, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        for name, head in heads.items():
            self.add_module(name, head)

    def forward(self, logits: torch.Tensor, *taps: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """``logits`` (N, classes) in evaluation; in training (logits, aux, ...) from the maps (N, C, H, W)."""
        if not self.training:
            return logits
        return (logits, *(head(tap) for head, tap in zip(self.children(), taps, strict=True)))

    def __prepare_scriptable__(self) -> AuxHeads:
        """Called by ``torch.jit.script``, which cannot compile an output that depends on the mode."""
        raise CompileError(
            "auxiliary classifiers, which compute in training only, cannot be scripted",
            path="aux",
            hint="save the model with ins.save_model and compile it without aux, with weights= from that file",
        )
