"""Pooling over the whole feature map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.graph.op import Op, feature_map
from inception_search.graph.types import FeatureMap, Type

if TYPE_CHECKING:
    from torch import nn

    from inception_search.graph.onnx_calls import OnnxCalls


@dataclass(frozen=True, slots=True)
class GlobalPool(Op):
    """Average or maximum of each channel."""

    name: ClassVar[str] = "global_pool"

    mode: str = "avg"

    def infer(self, inputs: tuple[Type, ...]) -> FeatureMap:
        """(C, 1, 1)."""
        return FeatureMap(feature_map("global pool", inputs[0]).channels, 1, 1)

    def build(self, inputs: tuple[Type, ...]) -> nn.Module:
        """``nn.AdaptiveAvgPool2d(1)`` or ``nn.AdaptiveMaxPool2d(1)``."""
        from torch import nn

        return nn.AdaptiveAvgPool2d(1) if self.mode == "avg" else nn.AdaptiveMaxPool2d(1)

    def to_onnx(self, calls: OnnxCalls, values: tuple[str, ...], inputs: tuple[Type, ...]) -> str:
        """``GlobalAveragePool`` or ``GlobalMaxPool``."""
        return calls.call("GlobalAveragePool" if self.mode == "avg" else "GlobalMaxPool", values[0])
