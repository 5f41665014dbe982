"""Multiplication by a constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.graph.op import Op
from inception_search.graph.types import Type

if TYPE_CHECKING:
    from inception_search.graph.onnx_calls import OnnxCalls


@dataclass(frozen=True, slots=True)
class Scale(Op):
    """``factor * x``; a function."""

    name: ClassVar[str] = "scale"

    factor: float

    def to_onnx(self, calls: OnnxCalls, values: tuple[str, ...], inputs: tuple[Type, ...]) -> str:
        """``Mul``."""
        return calls.call("Mul", values[0], calls.numbers(self.factor))
