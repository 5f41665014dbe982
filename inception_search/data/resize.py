"""Square resizing of uint8 images, the same to the last bit on every machine."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_CHUNK = 4096  # images resized at a time; bounds the temporary float64 memory
_TIE = 1e-6  # an exact half rounds up on every machine, whatever order its sums are taken in


def resize(images: Tensor, size: int | None) -> Tensor:
    """``images`` uint8 (N, C, H, W) as (N, C, size, size), bilinear, antialiased; unchanged for None."""
    if size is None or tuple(images.shape[2:]) == (size, size):
        return images
    return torch.cat([_resize(chunk, size) for chunk in torch.split(images, _CHUNK)])


def _resize(images: Tensor, size: int) -> Tensor:
    exact = F.interpolate(images.double(), (size, size), mode="bilinear", align_corners=False, antialias=True)
    return (exact + (0.5 + _TIE)).floor().clamp(0, 255).to(torch.uint8)
