"""Concatenation on the channel axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.errors import ShapeError
from inception_search.graph.op import Op, feature_map
from inception_search.graph.types import FeatureMap, Type

if TYPE_CHECKING:
    from inception_search.graph.onnx_calls import OnnxCalls


@dataclass(frozen=True, slots=True)
class Concat(Op):
    """Feature maps of equal size joined on channels, in order; a function."""

    name: ClassVar[str] = "concat"
    arity: ClassVar[int | None] = None

    def infer(self, inputs: tuple[Type, ...]) -> FeatureMap:
        """(sum of channels, H, W)."""
        sizes = {value[1:] for value in inputs}
        if len(sizes) > 1 or not isinstance(inputs[0], FeatureMap):
            raise _unequal(inputs)
        return FeatureMap(sum([value[0] for value in inputs]), *sizes.pop())

    def to_onnx(self, calls: OnnxCalls, values: tuple[str, ...], inputs: tuple[Type, ...]) -> str:
        """``Concat``."""
        return calls.call("Concat", *values, axis=1)


def _unequal(inputs: tuple[Type, ...]) -> ShapeError:
    """The error for the first input that differs in size; raises if an input is not a feature map."""
    maps = [feature_map("concat", value) for value in inputs]
    index = next(index for index, value in enumerate(maps) if value[1:] != maps[0][1:])
    return ShapeError(
        f"branches of a concat must have one map size, branch {index} differs",
        found=", ".join(f"{value.height}x{value.width}" for value in maps),
        hint="give every branch the same total stride and padding",
    )
