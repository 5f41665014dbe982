"""Pooling to a feature map of given size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.graph.op import Op, feature_map
from inception_search.graph.types import FeatureMap, Type

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class AdaptivePool(Op):
    """Average or maximum over windows that divide the feature map into (height, width) ``size``."""

    name: ClassVar[str] = "adaptive_pool"

    size: tuple[int, int]
    mode: str = "avg"

    def infer(self, inputs: tuple[Type, ...]) -> FeatureMap:
        """(C, height, width)."""
        return FeatureMap(feature_map("adaptive pool", inputs[0]).channels, *self.size)

    def build(self, inputs: tuple[Type, ...]) -> nn.Module:
        """``nn.AdaptiveAvgPool2d`` or ``nn.AdaptiveMaxPool2d`` on (N, C, H, W)."""
        from torch import nn

        return nn.AdaptiveAvgPool2d(self.size) if self.mode == "avg" else nn.AdaptiveMaxPool2d(self.size)
