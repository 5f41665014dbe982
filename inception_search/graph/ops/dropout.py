"""Dropout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.graph.op import Op
from inception_search.graph.types import Type

if TYPE_CHECKING:
    from torch import nn

    from inception_search.graph.onnx_calls import OnnxCalls


@dataclass(frozen=True, slots=True)
class Dropout(Op):
    """Zeroes each element with probability ``p`` in training."""

    name: ClassVar[str] = "dropout"

    p: float = 0.5

    def build(self, inputs: tuple[Type, ...]) -> nn.Module:
        """``nn.Dropout``."""
        from torch import nn

        return nn.Dropout(self.p)

    def to_onnx(self, calls: OnnxCalls, values: tuple[str, ...], inputs: tuple[Type, ...]) -> str:
        """Nothing: in evaluation mode the value stays as it is."""
        return values[0]
