"""The input image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from inception_search.graph.op import Op
from inception_search.graph.types import FeatureMap, Type


@dataclass(frozen=True, slots=True)
class Input(Op):
    """Images of (channels, height, width); not a module."""

    name: ClassVar[str] = "input"
    arity: ClassVar[int | None] = 0

    shape: tuple[int, int, int]

    def infer(self, inputs: tuple[Type, ...]) -> FeatureMap:
        """The images themselves."""
        return FeatureMap(*self.shape)
