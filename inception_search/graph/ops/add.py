"""The residual sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from inception_search.errors import ShapeError
from inception_search.graph.op import Channels, Op
from inception_search.graph.types import Type


@dataclass(frozen=True, slots=True)
class Add(Op):
    """``x + scale * y`` of two values of one shape (Inception-v4 paper, section 3.3); a function."""

    name: ClassVar[str] = "add"
    arity: ClassVar[int | None] = 2
    channels: ClassVar[Channels] = "pins"

    scale: float = 1.0

    def infer(self, inputs: tuple[Type, ...]) -> Type:
        """The shape of both."""
        if inputs[0] != inputs[1]:
            raise ShapeError(
                "a residual sum needs equal shapes",
                found=f"{inputs[0]} + {inputs[1]}",
                mend="give the block project: linear for the channels, and keep stride 1 and same padding inside",
            )
        return inputs[0]
