"""Windowed pooling: maximum, average, L2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.graph.op import Op, Padding, feature_map, window
from inception_search.graph.types import FeatureMap, Type

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Pool(Op):
    """``mode`` max, avg or l2 over (height, width) ``kernel``; ``count_pad``: averages include the padding."""

    name: ClassVar[str] = "pool"

    mode: str
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: Padding = (0, 0)
    count_pad: bool = False
    ceil: bool = False

    def infer(self, inputs: tuple[Type, ...]) -> FeatureMap:
        """(C, H', W')."""
        x = feature_map("pool", inputs[0])
        size = window("pool", (x.height, x.width), self.kernel, self.stride, self.padding, self.ceil)
        return FeatureMap(x.channels, *size)

    def build(self, inputs: tuple[Type, ...]) -> nn.Module:
        """``nn.MaxPool2d``, ``nn.AvgPool2d``, :class:`L2Pool2d` or :class:`TfPool2d` on (N, C, H, W)."""
        from torch import nn

        if self.padding == "tf":
            from inception_search.graph.torch_modules import TfPool2d

            return TfPool2d(self.mode, self.kernel, self.stride, self.count_pad)

        if self.mode == "max":
            return nn.MaxPool2d(self.kernel, self.stride, self.padding, ceil_mode=self.ceil)
        average = nn.AvgPool2d(
            self.kernel, self.stride, self.padding, ceil_mode=self.ceil, count_include_pad=self.count_pad
        )
        if self.mode == "avg":
            return average
        from inception_search.graph.torch_modules import L2Pool2d

        return L2Pool2d(self.kernel, self.stride, self.padding, self.ceil)
