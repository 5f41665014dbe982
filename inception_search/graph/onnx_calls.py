"""What an op may write when it becomes ONNX; the writer is in the room ``export``, so that no op imports ``onnx``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

if TYPE_CHECKING:
    from inception_search.graph.types import FeatureMap, Padding


class OnnxCalls(Protocol):
    """Writes the ONNX calls of one op; values are named."""

    varies: bool
    """Whether the height and width of images vary, so that sizes of feature maps are not known."""

    def call(self, kind: str, *values: str, **attributes: Any) -> str:
        """Add a call of the ONNX operator ``kind``; returns the name of its result."""

    def tensor(self, name: str) -> str:
        """The tensor ``name`` of the op, such as ``"weight"``."""

    def numbers(self, values: Any) -> str:
        """A constant in the dtype of the computation: a number, or nested lists."""

    def integers(self, values: Sequence[int]) -> str:
        """A constant vector of 64-bit integers."""

    def impossible(self, reason: str) -> NoReturn:
        """Raise the error for an op that has no form in ONNX."""


def onnx_padding(
    calls: OnnxCalls,
    read: FeatureMap,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: Padding,
    dilation: tuple[int, int] = (1, 1),
) -> dict[str, Any]:
    """The padding of a window on the feature map ``read`` as attributes: ``pads`` (top, left, bottom, right)."""
    if padding != "tf":
        return {"pads": [*padding, *padding]}
    if calls.varies:
        return {"auto_pad": "SAME_UPPER"}
    from inception_search.graph.torch_modules import tf_zeros

    left, right, top, bottom = tf_zeros((read.height, read.width), kernel, stride, dilation)
    return {"pads": [top, left, bottom, right]}
