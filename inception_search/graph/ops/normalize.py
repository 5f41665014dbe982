"""Division by the Euclidean length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.errors import ShapeError
from inception_search.graph.op import Channels, Op
from inception_search.graph.types import Type, Vector

if TYPE_CHECKING:
    from inception_search.graph.onnx_calls import OnnxCalls


@dataclass(frozen=True, slots=True)
class Normalize(Op):
    """A vector divided by its Euclidean length (at least 1e-12); a function."""

    name: ClassVar[str] = "normalize"
    channels: ClassVar[Channels] = "pins"

    def infer(self, inputs: tuple[Type, ...]) -> Vector:
        """The type of the input."""
        if not isinstance(inputs[0], Vector):
            raise ShapeError("unit length needs a vector", found=str(inputs[0]), hint="pool and flatten first")
        return inputs[0]

    def to_onnx(self, calls: OnnxCalls, values: tuple[str, ...], inputs: tuple[Type, ...]) -> str:
        """``ReduceL2`` and ``Div``."""
        length = calls.call("ReduceL2", values[0], axes=[1], keepdims=1)
        return calls.call("Div", values[0], calls.call("Max", length, calls.numbers(1e-12)))
