"""What a factorised convolution computes: the convolutions it is made of, by name."""

from __future__ import annotations

from typing import Literal, TypeAlias

from inception_search.spec.model import Dilation, Factor, Pad, Padding, Stride
from inception_search.spec.step import AnyStep, Block, Conv, Depthwise, chain, concat

Zeros: TypeAlias = tuple[Pad, Pad] | Literal["tf"]
Same: TypeAlias = Literal["symmetric", "tf"]
PARALLEL: frozenset[Factor] = frozenset({"split"})


def factors(conv: Conv) -> tuple[tuple[str, Conv], ...]:
    """The convolutions of ``conv`` by name, in series (side by side for ``split``); empty when not factored."""
    if conv.factor == "none":
        return ()
    if conv.factor == "stacked":
        return _stacked(conv)
    if conv.factor == "split":
        half = {"factor": "none", "width": conv.width // 2}
        h, w = conv.kernel
        return (
            ("row", conv.model_copy(update={**half, "kernel": (1, w), "dilation": dilation_of(conv)[1]})),
            ("col", conv.model_copy(update={**half, "kernel": (h, 1), "dilation": dilation_of(conv)[0]})),
        )
    order = ("row", "col") if conv.factor == "row_col" else ("col", "row")
    mid = conv.mid or conv.width
    return (
        (order[0], _axis(conv, order[0], mid, last=False)),
        (order[1], _axis(conv, order[1], conv.width, True)),
    )


def opened(conv: Conv) -> AnyStep:
    """``conv`` with its factor written out as plain convolutions."""
    parts = tuple(part for _, part in factors(conv))
    if not parts:
        return conv
    return concat(*parts) if conv.factor in PARALLEL else chain(*parts)


def _axis(conv: Conv, axis: str, width: int, last: bool) -> Conv:
    """The 1×k (``row``) or k×1 (``col``) factor, with that axis' stride and padding."""
    (h, w), (sh, sw) = conv.kernel, stride_of(conv.stride)
    row = axis == "row"
    padding: Padding = conv.padding
    if isinstance(padding, tuple):
        padding = (0, padding[1]) if row else (padding[0], 0)
    return conv.model_copy(
        update={
            "kernel": (1, w) if row else (h, 1),
            "width": width,
            "stride": _stride(1, sw) if row else _stride(sh, 1),
            "padding": padding,
            "dilation": dilation_of(conv)[1 if row else 0],
            "factor": "none",
            "mid": None,
            "linear": conv.linear and last,
        }
    )


def _stacked(conv: Conv) -> tuple[tuple[str, Conv], ...]:
    count = (conv.kernel[0] - 1) // 2
    first = {"kernel": (3, 3), "factor": "none", "mid": None}
    inner = conv.model_copy(update={**first, "width": conv.mid or conv.width, "stride": 1, "linear": False})
    last = conv.model_copy(update=first)
    return tuple((str(i), last if i == count - 1 else inner) for i in range(count))


def _stride(h: int, w: int) -> Stride:
    return h if h == w else (h, w)


def padding_of(
    kernel: tuple[int, int], padding: Padding, dilation: Dilation = 1, stride: Stride = 1, same: Same = "symmetric"
) -> Zeros:
    """The zeros added on each side, (height, width), that ``padding`` stands for in a network with ``same``.

    ``tf``: they depend on the size of the map, which only happens with strides and even kernels.
    """
    if padding == "valid":
        return (0, 0)
    if isinstance(padding, tuple):
        return padding
    down, across = stride_of(dilation)
    total = (down * (kernel[0] - 1), across * (kernel[1] - 1))
    symmetric = padding == "same" and same == "symmetric"
    if symmetric or (stride == 1 and total[0] % 2 == total[1] % 2 == 0):
        return (total[0] // 2, total[1] // 2)
    return "tf"


def stride_of(stride: Stride | Dilation) -> tuple[int, int]:
    """A stride or dilation as (height, width)."""
    return stride if isinstance(stride, tuple) else (stride, stride)


def shortcut(block: Block) -> Conv:
    """The convolution of a projected skip; one filter stands for as many as the other summand has channels."""
    return Conv(kernel=(1, 1), width=1, stride=block.stride, act="none")


def plain_dilation(conv: Conv | Depthwise) -> Dilation:
    """The dilation of ``conv``: beside an axis of length 1, a pair says no more than one number."""
    if not isinstance(conv.dilation, tuple):
        return conv.dilation
    seen = {d for d, k in zip(conv.dilation, conv.kernel, strict=True) if k > 1}
    return conv.dilation if len(seen) == 2 else next(iter(seen), 1)


def dilation_of(conv: Conv | Depthwise) -> tuple[int, int]:
    """The (height, width) dilation of a convolution."""
    return stride_of(conv.dilation)
