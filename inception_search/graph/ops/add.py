"""The sum of values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.errors import ShapeError
from inception_search.graph.op import Channels, Op
from inception_search.graph.types import Type

if TYPE_CHECKING:
    from inception_search.graph.onnx_calls import OnnxCalls


@dataclass(frozen=True, slots=True)
class Add(Op):
    """``x + scale * y`` of values of the same shape (Inception-v4 paper, section 3.3); a function.

    More than two are added in order: ``(x + scale * y) + scale * z``.
    """

    name: ClassVar[str] = "add"
    arity: ClassVar[int | None] = None
    channels: ClassVar[Channels] = "pins"

    scale: float = 1.0

    def infer(self, inputs: tuple[Type, ...]) -> Type:
        """The shape of the inputs."""
        if any(other != inputs[0] for other in inputs[1:]):
            hint = "give the block project: linear, or a dag's inputs one width, and keep stride 1 and same padding"
            raise ShapeError("a sum needs equal shapes", found=" + ".join(map(str, inputs)), hint=hint)
        return inputs[0]

    def to_onnx(self, calls: OnnxCalls, values: tuple[str, ...], inputs: tuple[Type, ...]) -> str:
        """``Add``, after ``Mul`` where there is a scale."""
        total, *others = values
        for other in others:
            scaled = other if self.scale == 1.0 else calls.call("Mul", other, calls.numbers(self.scale))
            total = calls.call("Add", total, scaled)
        return total
