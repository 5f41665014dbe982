"""Activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.graph.op import Op
from inception_search.graph.types import Type

if TYPE_CHECKING:
    from torch import nn

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
