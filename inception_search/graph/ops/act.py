"""Activations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.graph.op import Op
from inception_search.graph.types import Type

if TYPE_CHECKING:
    from torch import nn

    from inception_search.graph.onnx_calls import OnnxCalls

# Name in documents -> class in torch.nn
ACTIVATIONS = {
    "relu": "ReLU",
    "relu6": "ReLU6",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
}


@dataclass(frozen=True, slots=True)
class Act(Op):
    """One activation, element by element."""

    name: ClassVar[str] = "act"

    kind: str = "relu"

    def __post_init__(self) -> None:
        if self.kind not in ACTIVATIONS:
            raise ValueError(f"unknown activation {self.kind!r}; one of {', '.join(ACTIVATIONS)}")

    def build(self, inputs: tuple[Type, ...]) -> nn.Module:
        """The module of :data:`ACTIVATIONS`."""
        from torch import nn

        module: nn.Module = getattr(nn, ACTIVATIONS[self.kind])()
        return module

    def to_onnx(self, calls: OnnxCalls, values: tuple[str, ...], inputs: tuple[Type, ...]) -> str:
        """One call, or the formula for an activation without an operator of its own."""
        (x,) = values
        if self.kind == "relu6":
            return calls.call("Clip", x, calls.numbers(0.0), calls.numbers(6.0))
        if self.kind == "gelu":  # the operator Gelu is of opset 20
            erf = calls.call("Erf", calls.call("Mul", x, calls.numbers(math.sqrt(0.5))))
            share = calls.call("Mul", calls.call("Add", erf, calls.numbers(1.0)), calls.numbers(0.5))
            return calls.call("Mul", x, share)
        if self.kind == "silu":
            return calls.call("Mul", x, calls.call("Sigmoid", x))
        attributes = {"alpha": 0.01} if self.kind == "leaky_relu" else {}
        return calls.call(ACTIVATIONS[self.kind].replace("ReLU", "Relu").replace("ELU", "Elu"), x, **attributes)
