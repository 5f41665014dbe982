"""Division by the Euclidean length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from inception_search.errors import ShapeError
from inception_search.graph.op import Channels, Op
from inception_search.graph.types import Type, Vector


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
