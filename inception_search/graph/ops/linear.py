"""Fully connected layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.errors import ShapeError
from inception_search.graph.op import Channels, Op, OpCost
from inception_search.graph.types import Type, Vector

if TYPE_CHECKING:
    from torch import nn

    from inception_search.graph.onnx_calls import OnnxCalls


@dataclass(frozen=True, slots=True)
class Linear(Op):
    """A fully connected layer with ``width`` outputs."""

    name: ClassVar[str] = "linear"
    channels: ClassVar[Channels] = "mixes"

    width: int
    bias: bool = True

    def infer(self, inputs: tuple[Type, ...]) -> Vector:
        """(width)."""
        if not isinstance(inputs[0], Vector):
            raise ShapeError("a linear layer needs a vector", found=str(inputs[0]), hint="flatten the map first")
        return Vector(self.width)

    def cost(self, inputs: tuple[Type, ...], output: Type) -> OpCost:
        """Weights (and bias); one multiply-add per weight."""
        weights = inputs[0].channels * self.width
        return OpCost(weights + (self.width if self.bias else 0), weights)

    def tensors(self) -> tuple[str, ...]:
        """``weight`` (width, C), and ``bias`` (width,) if there is one."""
        return ("weight", "bias") if self.bias else ("weight",)

    def build(self, inputs: tuple[Type, ...]) -> nn.Module:
        """``nn.Linear`` on (N, C)."""
        from torch import nn

        return nn.Linear(inputs[0].channels, self.width, bias=self.bias)

    def to_onnx(self, calls: OnnxCalls, values: tuple[str, ...], inputs: tuple[Type, ...]) -> str:
        """``Gemm``."""
        return calls.call("Gemm", values[0], *map(calls.tensor, self.tensors()), transB=1)
