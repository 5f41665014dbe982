"""The parts of a factorised convolution: plain convolutions, by name."""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from typing import Any, Literal, TypeAlias

from inception_search.spec.base_model import Dilation, Factor, Pad, Padding, Stride
from inception_search.spec.step import AnyStep, Block, Conv, Depthwise, chain, concat

Zeros: TypeAlias = tuple[Pad, Pad] | Literal["tf"]
Same: TypeAlias = Literal["symmetric", "tf"]
PARALLEL: frozenset[Factor] = frozenset({"split"})


def factors(conv: Conv) -> tuple[tuple[str, Conv], ...]:
    """The convolutions of ``conv`` by name, in series (side by side for ``split``); empty when not factored."""
    return tuple((name, part.model_copy(update={"width": width})) for name, part, width in factor_widths(conv))


def factor_widths(conv: Conv) -> tuple[tuple[str, Conv, int], ...]:
    """The convolutions of ``conv`` by name, each with its number of filters; their own ``width`` has no meaning.

    A search tries thousands of widths, so everything but the widths is cached.
    """
    if conv.factor == "none":
        return ()
    names, parts = _parts(*_WITHOUT_WIDTHS(conv.__dict__))
    if conv.factor in PARALLEL:
        widths: tuple[int, ...] = (conv.width // 2,) * len(parts)
    else:
        widths = (*(conv.mid or conv.width,) * (len(parts) - 1), conv.width)
    return tuple(zip(names, parts, widths, strict=True))


_FIELDS = tuple(name for name in Conv.model_fields if name not in ("kind", "width", "mid"))
_WITHOUT_WIDTHS = itemgetter(*_FIELDS)


@lru_cache(maxsize=4096)
def _parts(*fields: Any) -> tuple[tuple[str, ...], tuple[Conv, ...]]:
    """The convolutions of a factorised one with these fields; their ``width`` has no meaning."""
    conv = Conv.model_construct(**dict(zip(_FIELDS, fields, strict=True)), width=1)
    if conv.factor == "stacked":
        return _stacked(conv)
    if conv.factor == "split":
        (h, w), (down, across) = conv.kernel, dilation_of(conv)
        row = conv.model_copy(update={"factor": "none", "kernel": (1, w), "dilation": across})
        return ("row", "col"), (row, row.model_copy(update={"kernel": (h, 1), "dilation": down}))
    order = ("row", "col") if conv.factor == "row_col" else ("col", "row")
    return order, (_axis(conv, order[0], last=False), _axis(conv, order[1], last=True))


def opened(conv: Conv) -> AnyStep:
    """``conv`` as plain convolutions."""
    parts = tuple(part for _, part in factors(conv))
    if not parts:
        return conv
    return concat(*parts) if conv.factor in PARALLEL else chain(*parts)


def _axis(conv: Conv, axis: str, last: bool) -> Conv:
    """The 1×k (``row``) or k×1 (``col``) factor, with that axis' stride and padding."""
    (h, w), (sh, sw) = conv.kernel, stride_of(conv.stride)
    row = axis == "row"
    padding: Padding = conv.padding
    if isinstance(padding, tuple):
        padding = (0, padding[1]) if row else (padding[0], 0)
    return conv.model_copy(
        update={
            "kernel": (1, w) if row else (h, 1),
            "stride": _stride(1, sw) if row else _stride(sh, 1),
            "padding": padding,
            "dilation": dilation_of(conv)[1 if row else 0],
            "factor": "none",
            "linear": conv.linear and last,
        }
    )


def _stacked(conv: Conv) -> tuple[tuple[str, ...], tuple[Conv, ...]]:
    count = (conv.kernel[0] - 1) // 2
    first = {"kernel": (3, 3), "factor": "none"}
    inner = conv.model_copy(update={**first, "stride": 1, "linear": False})
    last = conv.model_copy(update=first)
    return tuple(map(str, range(count))), (*(inner,) * (count - 1), last)


def _stride(h: int, w: int) -> Stride:
    return h if h == w else (h, w)


def padding_of(
    kernel: tuple[int, int], padding: Padding, dilation: Dilation = 1, stride: Stride = 1, same: Same = "symmetric"
) -> Zeros:
    """The zeros that ``padding`` adds on each side, (height, width), in a network with ``same`` padding.

    ``tf`` if they depend on the size of the feature map, which happens only with strides and even kernels.
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
    """The convolution of a projected skip. Its width is a placeholder: it has the channels of the other summand."""
    return Conv(kernel=(1, 1), width=1, stride=block.stride, act="none")


def plain_dilation(conv: Conv | Depthwise) -> Dilation:
    """The dilation of ``conv`` in one spelling: on a kernel axis of length 1 it has no effect."""
    if not isinstance(conv.dilation, tuple):
        return conv.dilation
    seen = {d for d, k in zip(conv.dilation, conv.kernel, strict=True) if k > 1}
    return conv.dilation if len(seen) == 2 else next(iter(seen), 1)


def dilation_of(conv: Conv | Depthwise) -> tuple[int, int]:
    """The (height, width) dilation of a convolution."""
    return stride_of(conv.dilation)
