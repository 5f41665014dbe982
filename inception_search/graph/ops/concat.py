"""Concatenation on the channel axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from inception_search.errors import ShapeError
from inception_search.graph.op import Op, feature_map
from inception_search.graph.types import FeatureMap, Type


@dataclass(frozen=True, slots=True)
class Concat(Op):
    """Maps of one size joined on channels, in order; a function."""

    name: ClassVar[str] = "concat"
    arity: ClassVar[int | None] = None

    def infer(self, inputs: tuple[Type, ...]) -> FeatureMap:
        """(sum of channels, H, W)."""
        first = feature_map("concat", inputs[0])
        channels = 0
        for index, value in enumerate(inputs):
            x = feature_map("concat", value)
            if (x.height, x.width) != (first.height, first.width):
                sizes = ", ".join(f"{v[1]}x{v[2]}" for v in inputs if isinstance(v, FeatureMap))
                raise ShapeError(
                    f"branches of a concat must have one map size, branch {index} differs",
                    found=sizes,
                    mend="give every branch the same total stride and padding",
                )
            channels += x.channels
        return FeatureMap(channels, first.height, first.width)
