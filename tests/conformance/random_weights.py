"""Random weights and batch-norm statistics that keep activations alive and in range, whatever the tensor layout."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

SEED = 0
VARIANCES = ("running_var", "moving_variance")


def randomise(tensors: Mapping[str, Tensor], out_axis: int) -> None:
    """Overwrite each tensor by its role; ``out_axis`` is where kernels have their output channels."""
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for name, tensor in tensors.items():
            if tensor.is_floating_point():  # torch's counters of batches stay zero
                tensor.copy_(_random(name, tensor.shape, out_axis, generator))


def _random(name: str, shape: torch.Size, out_axis: int, generator: torch.Generator) -> Tensor:
    role = name.replace("/", ".").rpartition(".")[2]
    if len(shape) > 1:
        fan_in = shape.numel() // shape[out_axis]
        return _normal(shape, generator) * (2 / fan_in) ** 0.5
    if role in VARIANCES or role == "weight":  # a one-dimensional weight is a batch norm's gamma
        return torch.rand(shape, dtype=torch.float64, generator=generator) + 0.5
    return _normal(shape, generator) * 0.1  # bias, beta or mean


def _normal(shape: torch.Size, generator: torch.Generator) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=generator)
