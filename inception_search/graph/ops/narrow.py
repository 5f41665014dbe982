"""Selection of consecutive channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.errors import ShapeError, raw
from inception_search.graph.op import Channels, Op, feature_map
from inception_search.graph.types import FeatureMap, Type

if TYPE_CHECKING:
    from inception_search.graph.onnx_calls import OnnxCalls


@dataclass(frozen=True, slots=True)
class Narrow(Op):
    """``width`` channels, beginning at channel ``start``; a function."""

    name: ClassVar[str] = "narrow"
    channels: ClassVar[Channels] = "pins"

    width: int
    start: int = 0

    def infer(self, inputs: tuple[Type, ...]) -> FeatureMap:
        """(width, H, W)."""
        x = feature_map("narrow", inputs[0])
        if self.start + self.width > x.channels:
            which = (
                f"channels {self.start} to {self.start + self.width - 1}" if self.start else f"the first {self.width}"
            )
            found = f"{which} of {x.channels}"
            hint = "use a smaller width or start; channels are counted from 0"
            raise ShapeError("narrow needs channels that the input does not have", found=raw(found), hint=hint)
        return x._replace(channels=self.width)

    def to_onnx(self, calls: OnnxCalls, values: tuple[str, ...], inputs: tuple[Type, ...]) -> str:
        """``Slice``."""
        ends = calls.integers([self.start + self.width])
        return calls.call("Slice", values[0], calls.integers([self.start]), ends, calls.integers([1]))
