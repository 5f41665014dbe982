"""Images for comparisons: float64, no two alike, with structure at every scale."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

SCALES = (1, 4, 16, 64)


def images(shape: tuple[int, int, int], batch: int = 2, seed: int = 1) -> Tensor:
    """A batch of zero-mean, unit-variance NCHW noise, fine and coarse.

    White noise alone would not do: after an average over all positions every image gives almost the same logits.
    """
    generator = torch.Generator().manual_seed(seed)
    channels, height, width = shape
    noise = torch.zeros(batch, *shape, dtype=torch.float64)
    for scale in SCALES:
        grid = (batch, channels, -(-height // scale), -(-width // scale))
        coarse = torch.randn(grid, dtype=torch.float64, generator=generator)
        noise += F.interpolate(coarse, (height, width), mode="nearest")
    return noise / len(SCALES) ** 0.5
