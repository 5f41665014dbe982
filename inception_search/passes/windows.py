"""Convolutions of different kernels that see the same positions: one kernel that contains all of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from inception_search.graph.ops import Conv
from inception_search.graph.types import Padding


class Window(NamedTuple):
    """A kernel that contains several: ``starts`` has the (row, column) at which each of them begins in it."""

    kernel: tuple[int, int]
    padding: Padding
    dilation: tuple[int, int]
    starts: tuple[tuple[int, int], ...]

    @property
    def area(self) -> int:
        """The number of positions of the kernel."""
        return self.kernel[0] * self.kernel[1]


def common_window(convs: Sequence[Conv]) -> Window | None:
    """The smallest kernel that contains those of ``convs``, for images of any size; None if there is none.

    Strides, dilations and output sizes must agree, and the kernels must have the same centre. A kernel of one row or
    column has every dilation on that axis. TensorFlow's padding depends on the size of the image; where the stride is
    not 1, kernels smaller than the stride may have another centre and do not fit.

    >>> common_window([Conv(8, (1, 1)), Conv(8, (3, 3), padding=(1, 1))])
    Window(kernel=(3, 3), padding=(1, 1), dilation=(1, 1), starts=((1, 1), (0, 0)))
    """
    if len({conv.stride for conv in convs}) > 1:
        return None
    rows, columns = _axis(convs, 0), _axis(convs, 1)
    if rows is None or columns is None:
        return None
    padding: Padding = "tf"
    if rows.padding is not None and columns.padding is not None:
        padding = (rows.padding, columns.padding)
    starts = tuple(zip(rows.starts, columns.starts, strict=True))
    return Window((rows.size, columns.size), padding, (rows.dilation, columns.dilation), starts)


class _Axis(NamedTuple):
    size: int
    padding: int | None  # None: TensorFlow's
    dilation: int
    starts: tuple[int, ...]


def _axis(convs: Sequence[Conv], axis: int) -> _Axis | None:
    sizes = [conv.kernel[axis] for conv in convs]
    dilations = {conv.dilation[axis] for conv in convs if conv.kernel[axis] > 1}
    largest = max(sizes)
    if len(dilations) > 1 or any((largest - size) % 2 for size in sizes):
        return None
    dilation = dilations.pop() if dilations else 1
    reaches = [dilation * (size - 1) for size in sizes]
    paddings = [_zeros(conv, axis, reach) for conv, reach in zip(convs, reaches, strict=True)]
    if paddings.count(None) not in (0, len(paddings)) or not _aligned(paddings, reaches, convs[0].stride[axis]):
        return None
    return _Axis(largest, paddings[sizes.index(largest)], dilation, tuple((largest - size) // 2 for size in sizes))


def _zeros(conv: Conv, axis: int, reach: int) -> int | None:
    """The zeros on each side; None if they depend on the size of the image or differ between the sides."""
    if conv.padding != "tf":
        return conv.padding[axis]
    return reach // 2 if conv.stride[axis] == 1 and reach % 2 == 0 else None


def _aligned(paddings: Sequence[int | None], reaches: Sequence[int], stride: int) -> bool:
    """Whether the kernels have one centre and outputs of one size, in images of every size."""
    if paddings[0] is None:  # in all there are max(reach - r, 0) zeros, where r < stride depends on the image
        return len(set(reaches)) == 1 or min(reaches) >= stride - 1
    return len({2 * (zeros or 0) - reach for zeros, reach in zip(paddings, reaches, strict=True)}) == 1
