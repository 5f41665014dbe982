"""Pooling to a feature map of given size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.graph.op import Op, feature_map
from inception_search.graph.types import FeatureMap, Type

if TYPE_CHECKING:
    from torch import nn

    from inception_search.graph.onnx_calls import OnnxCalls


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

    def to_onnx(self, calls: OnnxCalls, values: tuple[str, ...], inputs: tuple[Type, ...]) -> str:
        """A global pool, one window, a product with a matrix for each axis (averages), or windows one by one."""
        (x,), read = values, feature_map("adaptive pool", inputs[0])
        if self.size == (1, 1):
            return calls.call("GlobalAveragePool" if self.mode == "avg" else "GlobalMaxPool", x)
        if calls.varies:
            calls.impossible("an adaptive pool for images of any size")
        if self.mode == "avg":
            down, across = (_averages(n, out) for n, out in zip(read[1:], self.size, strict=True))
            x = calls.call("MatMul", x, calls.numbers([list(row) for row in zip(*across, strict=True)]))
            return calls.call("MatMul", calls.numbers(down), x)
        for axis, n, out in zip((2, 3), read[1:], self.size, strict=True):
            places = [(calls.integers([begin]), calls.integers([end])) for begin, end in _windows(n, out)]
            slices = [calls.call("Slice", x, *place, calls.integers([axis])) for place in places]
            x = calls.call("Concat", *(calls.call("ReduceMax", s, axes=[axis], keepdims=1) for s in slices), axis=axis)
        return x


def _windows(size: int, out: int) -> list[tuple[int, int]]:
    """Begin and end of each window of an axis, as PyTorch divides it."""
    return [(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]


def _averages(size: int, out: int) -> list[list[float]]:
    """The matrix (out, size) that averages over the windows of an axis."""
    return [[1 / (e - b) if b <= i < e else 0.0 for i in range(size)] for b, e in _windows(size, out)]
