"""Zeros instead of a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.graph.op import Op
from inception_search.graph.types import Type

if TYPE_CHECKING:
    from inception_search.graph.onnx_calls import OnnxCalls


@dataclass(frozen=True, slots=True)
class Zero(Op):
    """Zeros of the input's shape: the operation "none" of NAS-Bench-201 (2001.00326, section 2.2); a function."""

    name: ClassVar[str] = "zero"

    def to_onnx(self, calls: OnnxCalls, values: tuple[str, ...], inputs: tuple[Type, ...]) -> str:
        """``Mul`` by zero."""
        return calls.call("Mul", values[0], calls.numbers(0.0))
