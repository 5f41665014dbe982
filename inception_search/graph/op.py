"""The base class of operations: one class has all facts of an op; ``ops/`` has one file per op."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from inception_search.errors import MapTooSmallError, ShapeError
from inception_search.graph.types import FeatureMap, Padding, Type

if TYPE_CHECKING:
    from torch import nn

    from inception_search.graph.onnx_calls import OnnxCalls

Channels = Literal["mixes", "keeps", "pins"]


class OpCost(NamedTuple):
    """Parameters, multiply-adds (of convolutions and linear layers) for one image, and output elements."""

    params: int
    macs: int


FREE = OpCost(0, 0)


class Op:
    """Base of all ops: frozen slotted dataclasses of attributes.

    ``channels`` is the effect of a permutation of the input channels: an op *mixes* them all (a dense convolution
    absorbs the permutation in its weights), *keeps* them separate, or *pins* their order.
    """

    __slots__ = ()
    name: ClassVar[str]
    arity: ClassVar[int | None] = 1  # number of inputs; None: two or more
    channels: ClassVar[Channels] = "keeps"

    def infer(self, inputs: tuple[Type, ...]) -> Type:
        """The output type; raises :class:`ShapeError` if the inputs do not fit."""
        return inputs[0]

    def cost(self, inputs: tuple[Type, ...], output: Type) -> OpCost:
        """Parameters and multiply-adds for one image."""
        return FREE

    def build(self, inputs: tuple[Type, ...]) -> nn.Module:
        """The PyTorch module that computes this op on (N, C, H, W) or (N, C) tensors."""
        raise NotImplementedError(f"{self.name} is a function, not a module")  # pragma: no cover - emit calls it

    def to_onnx(self, calls: OnnxCalls, values: tuple[str, ...], inputs: tuple[Type, ...]) -> str:
        """Write the ONNX calls that compute this op in evaluation mode (opset 17).

        Args:
            calls: writes them.
            values: the names of the values that the op reads.
            inputs: the types of these values.

        Returns:
            The name of the result.
        """
        calls.impossible(f"the op {self.name!r} has no method to_onnx")

    def tensors(self) -> tuple[str, ...]:
        """The names of the tensors of this op's module that rewrites may replace: weights and running statistics.

        An op of another package may leave this out; its module is then always called as it is.
        """
        return ()

    def attributes(self) -> dict[str, Any]:
        """The op's attributes by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]

    def given(self) -> dict[str, Any]:
        """The attributes that are not at their defaults, by name."""
        values = self.attributes()
        return {f.name: values[f.name] for f in fields(self) if values[f.name] != f.default}  # type: ignore[arg-type]


def feature_map(op: str, value: Type) -> FeatureMap:
    """``value`` as a feature map; raises :class:`ShapeError` if it is a vector."""
    if not isinstance(value, FeatureMap):
        raise ShapeError(f"{op} needs a feature map (C, H, W)", found=str(value), hint="put it before flattening")
    return value


def window(
    op: str,
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: Padding,
    ceil: bool = False,
) -> tuple[int, int]:
    """Output (height, width) of a sliding window; raises ShapeError if it exceeds the padded feature map."""
    if padding == "tf":
        return -(-size[0] // stride[0]), -(-size[1] // stride[1])
    out = []
    for side, k, s, p in zip(size, kernel, stride, padding, strict=True):
        room = side + 2 * p - k
        if room < 0:
            raise MapTooSmallError(
                f"the {op} kernel {kernel[0]}x{kernel[1]} is larger than its {size[0]}x{size[1]} map",
                hint="use a larger input, a smaller kernel or stride, or same padding",
            )
        steps = -(-room // s) if ceil else room // s
        if ceil and steps * s >= side + p:  # the last window must begin inside the feature map or its left padding
            steps -= 1
        out.append(steps + 1)
    return out[0], out[1]
