"""Flattening of a feature map to a vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.graph.op import Op
from inception_search.graph.types import Type, Vector

if TYPE_CHECKING:
    from torch import nn

    from inception_search.graph.onnx_calls import OnnxCalls


@dataclass(frozen=True, slots=True)
class Flatten(Op):
    """(C, H, W) as a vector of C * H * W features."""

    name: ClassVar[str] = "flatten"

    def infer(self, inputs: tuple[Type, ...]) -> Vector:
        """(C * H * W)."""
        return Vector(inputs[0].numel)

    def build(self, inputs: tuple[Type, ...]) -> nn.Module:
        """``nn.Flatten``."""
        from torch import nn

        return nn.Flatten()

    def to_onnx(self, calls: OnnxCalls, values: tuple[str, ...], inputs: tuple[Type, ...]) -> str:
        """``Flatten``."""
        return calls.call("Flatten", values[0], axis=1)
