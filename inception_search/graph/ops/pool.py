"""Windowed pooling: maximum, average, L2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from inception_search.graph.onnx_calls import onnx_padding
from inception_search.graph.op import Op, feature_map, window
from inception_search.graph.types import FeatureMap, Padding, Type

if TYPE_CHECKING:
    from torch import nn

    from inception_search.graph.onnx_calls import OnnxCalls

_TINY = 1.1754943508222875e-38  # the smallest normal number of float32, as in L2Pool2d


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

    def to_onnx(self, calls: OnnxCalls, values: tuple[str, ...], inputs: tuple[Type, ...]) -> str:
        """``MaxPool`` or ``AveragePool``; L2 pooling is the root of a sum of squares."""
        (x,), read = values, feature_map("pool", inputs[0])
        place = onnx_padding(calls, read, self.kernel, self.stride, self.padding)
        window: dict[str, Any] = {"kernel_shape": self.kernel, "strides": self.stride, **place}
        beyond = (0, 0) if calls.varies else self._beyond(read)
        if self.ceil and calls.varies:
            window["ceil_mode"] = 1
        elif any(beyond):  # zeros at the end in place of rounding up, which runtimes do in several ways
            window["pads"] = [p + more for p, more in zip(window["pads"], (0, 0, *beyond), strict=True)]
        if self.mode == "max":
            return calls.call("MaxPool", x, **window)
        if self.mode == "avg" and not (self.count_pad and any(beyond)):
            return calls.call("AveragePool", x, **window, count_include_pad=int(self.count_pad))
        area = self.kernel[0] * self.kernel[1]
        squares = x if self.mode == "avg" else calls.call("Mul", x, x)
        means = calls.call("AveragePool", squares, **window, count_include_pad=1)
        if self.mode == "avg":  # PyTorch counts the padding, but not what lies beyond it
            return calls.call("Mul", means, calls.numbers(self._corrections(read, beyond)))
        total = calls.call("Mul", means, calls.numbers(float(area)))
        return calls.call("Sqrt", calls.call("Add", total, calls.numbers(_TINY)))

    def _beyond(self, read: FeatureMap) -> tuple[int, int]:
        """How far the last windows reach beyond the padding (height, width); more than 0 only with ``ceil``."""
        if self.padding == "tf":
            return 0, 0
        out = self.infer((read,))
        down, across = (
            max((n - 1) * s + k - size - 2 * p, 0)
            for n, s, k, size, p in zip(out[1:], self.stride, self.kernel, read[1:], self.padding, strict=True)
        )
        return down, across

    def _corrections(self, read: FeatureMap, beyond: tuple[int, int]) -> list[list[list[list[float]]]]:
        """(1, 1, H', W') factors: the area of the kernel by the number of elements that count."""
        out = self.infer((read,))
        factors = []
        for n, k, more in zip(out[1:], self.kernel, beyond, strict=True):
            factors.append([1.0] * (n - 1) + [k / (k - more)])
        return [[[[down * across for across in factors[1]] for down in factors[0]]]]
