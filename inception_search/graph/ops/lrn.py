"""Local response normalisation across channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.graph.op import Channels, Op, feature_map
from inception_search.graph.types import Type

if TYPE_CHECKING:
    from torch import nn

    from inception_search.graph.onnx_calls import OnnxCalls


@dataclass(frozen=True, slots=True)
class Lrn(Op):
    """Divides by (k + alpha/size * sum of squares over ``size`` neighbouring channels) ** beta."""

    name: ClassVar[str] = "lrn"
    channels: ClassVar[Channels] = "pins"

    size: int = 5
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    def infer(self, inputs: tuple[Type, ...]) -> Type:
        """The type of the input."""
        return feature_map("lrn", inputs[0])

    def build(self, inputs: tuple[Type, ...]) -> nn.Module:
        """``nn.LocalResponseNorm`` on (N, C, H, W)."""
        from torch import nn

        return nn.LocalResponseNorm(self.size, alpha=self.alpha, beta=self.beta, k=self.k)

    def to_onnx(self, calls: OnnxCalls, values: tuple[str, ...], inputs: tuple[Type, ...]) -> str:
        """``LRN``; for an even ``size``, whose middle ONNX places elsewhere, the formula."""
        (x,) = values
        if self.size % 2:
            return calls.call("LRN", x, size=self.size, alpha=self.alpha, beta=self.beta, bias=self.k)
        zeros = calls.integers([0, self.size // 2, 0, 0, 0, (self.size - 1) // 2, 0, 0])
        squares = calls.call("Pad", calls.call("Mul", x, x), zeros)
        total = _channels(calls, squares, 0, inputs[0].channels)
        for start in range(1, self.size):
            total = calls.call("Add", total, _channels(calls, squares, start, inputs[0].channels))
        share = calls.call("Mul", total, calls.numbers(self.alpha / self.size))
        power = calls.call("Pow", calls.call("Add", share, calls.numbers(self.k)), calls.numbers(self.beta))
        return calls.call("Div", x, power)


def _channels(calls: OnnxCalls, value: str, start: int, width: int) -> str:
    return calls.call("Slice", value, calls.integers([start]), calls.integers([start + width]), calls.integers([1]))
