"""The one module that torch lacks; imported only by ``Pool.build``.

Torch has ``LPPool2d``, without padding and with a NaN gradient at zero.
"""

from __future__ import annotations

import torch
from torch import nn


class L2Pool2d(nn.Module):
    """Root of the sum of squares over each window of (N, C, H, W); zeros outside the map."""

    def __init__(
        self, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], ceil: bool = False
    ) -> None:
        super().__init__()
        self.window = nn.AvgPool2d(kernel, stride, padding, ceil_mode=ceil, divisor_override=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, C, H', W'); the tiny constant keeps the gradient finite at zero."""
        total: torch.Tensor = self.window(x * x)
        return (total + torch.finfo(x.dtype).tiny).sqrt()
