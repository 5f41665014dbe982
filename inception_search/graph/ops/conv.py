"""Two-dimensional convolution (cross-correlation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from inception_search.errors import ShapeError
from inception_search.graph.onnx_calls import onnx_padding
from inception_search.graph.op import Channels, Op, OpCost, feature_map, window
from inception_search.graph.types import FeatureMap, Padding, Type

if TYPE_CHECKING:
    from torch import nn

    from inception_search.graph.onnx_calls import OnnxCalls


@dataclass(frozen=True, slots=True)
class Conv(Op):
    """``width`` filters of (height, width) ``kernel``; zero ``padding`` on both sides of each axis, or TensorFlow's."""

    name: ClassVar[str] = "conv"
    channels: ClassVar[Channels] = "mixes"

    width: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: Padding = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    bias: bool = False

    def infer(self, inputs: tuple[Type, ...]) -> FeatureMap:
        """(width, H', W')."""
        x = feature_map("conv", inputs[0])
        if self.groups != 1 and x.channels % self.groups:
            raise ShapeError(
                f"{x.channels} input channels are not divisible by groups {self.groups}",
                hint=f"make the width before it a multiple of {self.groups}",
            )
        (h, w), (down, across) = self.kernel, self.dilation
        kernel = (down * (h - 1) + 1, across * (w - 1) + 1)
        height, width = window("conv", (x.height, x.width), kernel, self.stride, self.padding)
        return FeatureMap(self.width, height, width)

    def cost(self, inputs: tuple[Type, ...], output: Type) -> OpCost:
        """Weights (and bias); one multiply-add per weight and output position."""
        weights = self.width * (inputs[0].channels // self.groups) * self.kernel[0] * self.kernel[1]
        positions = output.numel // self.width
        return OpCost(weights + (self.width if self.bias else 0), weights * positions)

    def tensors(self) -> tuple[str, ...]:
        """``weight`` (width, C / groups, h, w), and ``bias`` (width,) if there is one."""
        return ("weight", "bias") if self.bias else ("weight",)

    def build(self, inputs: tuple[Type, ...]) -> nn.Module:
        """``nn.Conv2d``, or :class:`TfConv2d`, on (N, C, H, W)."""
        from torch import nn

        options: dict[str, Any] = {"stride": self.stride, "dilation": self.dilation}
        options |= {"groups": self.groups, "bias": self.bias}
        if self.padding != "tf":
            return nn.Conv2d(inputs[0].channels, self.width, self.kernel, padding=self.padding, **options)
        from inception_search.graph.torch_modules import TfConv2d

        return TfConv2d(inputs[0].channels, self.width, self.kernel, **options)

    def to_onnx(self, calls: OnnxCalls, values: tuple[str, ...], inputs: tuple[Type, ...]) -> str:
        """``Conv``."""
        read = feature_map("conv", inputs[0])
        tensors = [calls.tensor(name) for name in self.tensors()]
        window: dict[str, Any] = {"kernel_shape": self.kernel, "strides": self.stride, "dilations": self.dilation}
        place = onnx_padding(calls, read, self.kernel, self.stride, self.padding, self.dilation)
        return calls.call("Conv", values[0], *tensors, **window, **place, group=self.groups)
