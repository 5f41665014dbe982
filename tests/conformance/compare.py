"""Numbers that say how far two computations are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def relative_difference(found: Tensor, expected: Tensor) -> float:
    """Largest absolute difference over the largest absolute expected value; infinite where it cannot be told."""
    if found.shape != expected.shape:
        raise ValueError(f"shapes differ: found {tuple(found.shape)}, expected {tuple(expected.shape)}")
    scale = expected.detach().abs().max()
    difference = (found.detach() - expected.detach()).abs().max()
    if not (torch.isfinite(difference) and scale > 0):
        return 0.0 if scale == 0 and difference == 0 else float("inf")
    return float(difference / scale)


def largest_difference(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> tuple[float, str]:
    """The relative difference of the worst tensor, each against its own scale, and its name."""
    if found.keys() != expected.keys():
        raise ValueError(f"names differ: {sorted(found.keys() ^ expected.keys())}")
    return max((relative_difference(found[name], expected[name]), name) for name in expected)


def probe_loss(outputs: Sequence[Tensor], seed: int = 2) -> Tensor:
    """Every output times its own fixed random number, summed: no two classes, images or heads are interchangeable."""
    generator = torch.Generator().manual_seed(seed)
    terms = [(y * torch.randn(y.shape, dtype=y.dtype, generator=generator)).sum() for y in outputs]
    return torch.stack(terms).sum()
