"""The first channels of a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from inception_search.errors import ShapeError
from inception_search.graph.op import Channels, Op, feature_map
from inception_search.graph.types import FeatureMap, Type


@dataclass(frozen=True, slots=True)
class Narrow(Op):
    """The first ``width`` channels; a function."""

    name: ClassVar[str] = "narrow"
    channels: ClassVar[Channels] = "pins"

    width: int

    def infer(self, inputs: tuple[Type, ...]) -> FeatureMap:
        """(width, H, W)."""
        x = feature_map("narrow", inputs[0])
        if self.width > x.channels:
            found = f"the first {self.width} of {x.channels}"
            raise ShapeError("narrow keeps channels that are there", found=found, mend="use a smaller width")
        return x._replace(channels=self.width)
