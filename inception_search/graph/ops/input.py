"""The input image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from inception_search.graph.op import Op
from inception_search.graph.types import FeatureMap, Type, Vector


@dataclass(frozen=True, slots=True)
class Input(Op):
    """Images of (channels, height, width), or a vector of (channels,) in a part of a network; not a module."""

    name: ClassVar[str] = "input"
    arity: ClassVar[int | None] = 0

    shape: tuple[int, ...]

    def infer(self, inputs: tuple[Type, ...]) -> Type:
        """The images themselves."""
        return FeatureMap(*self.shape) if len(self.shape) == 3 else Vector(*self.shape)
