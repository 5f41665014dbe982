"""Small networks the training tests train; built from nothing but torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def conv(channels: int, width: int, kernel: int = 1) -> nn.Sequential:
    """Convolution (same size), batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels, width, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )


class Module(nn.Module):
    """Four branches side by side: 1x1, 3x3, two 3x3 (for a 5x5), pooled 1x1."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        half = width // 2
        self.branches = nn.ModuleList(
            [
                conv(channels, width),
                nn.Sequential(conv(channels, half), conv(half, width, 3)),
                nn.Sequential(conv(channels, half), conv(half, width, 3), conv(width, width, 3)),
                nn.Sequential(nn.AvgPool2d(3, 1, 1), conv(channels, width)),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


class SmallInception(nn.Module):
    """Stem, two modules and global pooling; (B, C, H, W) to logits, and to one auxiliary head if ``aux``."""

    def __init__(self, channels: int = 1, classes: int = 10, width: int = 20, aux: bool = False) -> None:
        super().__init__()
        self.stem = conv(channels, width, 3)
        self.first = Module(width, width)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.second = Module(4 * width, width)
        self.third = Module(4 * width, width)
        self.head = nn.Linear(4 * width, classes)
        self.aux = nn.Linear(4 * width, classes) if aux else None

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        x = self.pool(self.first(self.stem(x)))
        x = self.second(x)
        early = x.mean((2, 3))
        logits = self.head(self.third(x).mean((2, 3)))
        return (logits, self.aux(early)) if self.aux is not None and self.training else logits


def small_inception(seed: int = 0, **sizes: int) -> SmallInception:
    """A :class:`SmallInception` with weights drawn from ``seed``."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return SmallInception(**sizes)
