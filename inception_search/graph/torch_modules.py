"""Modules that torch lacks: TensorFlow's asymmetric SAME padding, and L2 pooling.

Only ``build`` imports them. With SAME padding, an axis of n values has ceil(n / stride) outputs; an odd zero is added
at the bottom or right.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def tf_zeros(
    size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int] = (1, 1)
) -> tuple[int, int, int, int]:
    """(left, right, top, bottom) zeros for a feature map of ``size`` (height, width), in the order of ``F.pad``."""
    zeros: list[int] = []
    for n, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
        zeros = [total // 2, total - total // 2, *zeros]
    return zeros[0], zeros[1], zeros[2], zeros[3]


class TfConv2d(nn.Conv2d):
    """``nn.Conv2d`` on (N, C, H, W) with SAME padding."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, width, ceil(H / stride), ceil(W / stride))."""
        kernel, stride, dilation = self.kernel_size, self.stride, self.dilation
        zeros = tf_zeros((x.shape[2], x.shape[3]), _pair(kernel), _pair(stride), _pair(dilation))
        return F.conv2d(F.pad(x, zeros), self.weight, self.bias, stride, 0, dilation, self.groups)

    def extra_repr(self) -> str:
        """The attributes that :class:`nn.Conv2d` shows, and the padding."""
        return f"{nn.Conv2d.extra_repr(self)}, padding=SAME"  # type: ignore[no-untyped-call]


class TfPool2d(nn.Module):
    """Maximum, average or L2 pooling of (N, C, H, W) with SAME padding; averages exclude padding by default."""

    def __init__(self, mode: str, kernel: tuple[int, int], stride: tuple[int, int], count_pad: bool = False) -> None:
        super().__init__()
        self.mode, self.kernel, self.stride, self.count_pad = mode, kernel, stride, count_pad

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, C, ceil(H / stride), ceil(W / stride))."""
        zeros = tf_zeros((x.shape[2], x.shape[3]), self.kernel, self.stride)
        if self.mode == "max":
            return F.max_pool2d(F.pad(x, zeros, value=float("-inf")), self.kernel, self.stride)
        if self.mode == "l2":  # the tiny constant keeps the gradient finite at zero
            return (self.summed(x * x, zeros) + torch.finfo(x.dtype).tiny).sqrt()
        if self.count_pad:
            return self.summed(x, zeros) / (self.kernel[0] * self.kernel[1])
        return self.summed(x, zeros) / self.summed(torch.ones_like(x[:1, :1]), zeros)

    def summed(self, x: torch.Tensor, zeros: tuple[int, int, int, int]) -> torch.Tensor:
        """The sum of each window."""
        return F.avg_pool2d(F.pad(x, zeros), self.kernel, self.stride, divisor_override=1)

    def extra_repr(self) -> str:
        """The attributes, for ``print``."""
        return f"{self.mode}, kernel_size={self.kernel}, stride={self.stride}, padding=SAME"


def _pair(values: tuple[int, ...]) -> tuple[int, int]:
    return values[0], values[1]


class L2Pool2d(nn.Module):
    """Root of the sum of squares over each window of (N, C, H, W), with zero padding.

    Torch's ``LPPool2d`` has no padding, and a NaN gradient at zero.
    """

    def __init__(
        self, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], ceil: bool = False
    ) -> None:
        super().__init__()
        self.window = nn.AvgPool2d(kernel, stride, padding, ceil_mode=ceil, divisor_override=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, C, H', W'); the tiny constant keeps the gradient finite at zero."""
        total: torch.Tensor = self.window(x * x)
        return (total + torch.finfo(x.dtype).tiny).sqrt()
