"""The words in a box: names of single steps in all styles but ``paper``, and formats of sizes and numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inception_search.figures.network.tree import Box, Kind
from inception_search.spec.base_model import Dilation, Padding, SpecModel, Stride
from inception_search.spec.factorisation import padding_of, stride_of
from inception_search.spec.network import PoolDefaults
from inception_search.spec.step import Act, AdaptivePool, Conv, Depthwise, Dropout, Lrn, Narrow, Norm, Pool, Zero

Single = Conv | Depthwise | Pool | AdaptivePool | Lrn | Dropout | Norm | Act | Zero | Narrow

ACTIVATIONS = {
    "none": "no activation",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "leaky_relu": "leaky ReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
}
_POOLS = {"max": "max pool", "avg": "avg pool", "l2": "L2 pool"}


def with_defaults(step: Single, pools: PoolDefaults) -> Single:
    """``step``; a pool without its own ``ceil`` gets the network's default."""
    if isinstance(step, Pool) and step.ceil is None and pools.ceil:
        return step.model_copy(update={"ceil": True})
    return step


def labelled(step: Single, path: str = "") -> Box:
    """The box of a single step; a convolution must be unfactorised."""
    return LABELS[type(step)](step, path)


def conv_lines(conv: Conv) -> tuple[str, ...]:
    """``("1×7 conv", "192, stride 2, V")``; stride 1, same padding and one group are not shown."""
    return (f"{size(conv.kernel)} conv", ", ".join([str(conv.width), *conv_facts(conv)]))


def conv_facts(conv: Conv) -> list[str]:
    """``stride 2``, ``V``, ``linear`` ...: properties that differ from the usual ones."""
    facts = _stride(conv.stride) + _padding(conv.kernel, conv.padding, conv.dilation)
    facts += _dilation(conv.dilation)
    facts += [f"groups {conv.groups}"] if conv.groups != 1 else []
    return facts + _follow(conv)


def depthwise_lines(conv: Depthwise) -> tuple[str, ...]:
    """``("7×7 depthwise", "×8, stride 2")``: kernel, and filters per channel."""
    facts = [f"×{conv.multiplier}", *_stride(conv.stride), *_padding(conv.kernel, conv.padding, conv.dilation)]
    facts += _dilation(conv.dilation)
    return (f"{size(conv.kernel)} depthwise", ", ".join(facts + _follow(conv)))


def pool_lines(pool: Pool) -> tuple[str, ...]:
    """``("3×3 max pool", "stride 2, V")``; one line if all properties are usual."""
    facts = pool_facts(pool)
    return (f"{size(pool.kernel)} {_POOLS[pool.mode]}", *([", ".join(facts)] if facts else []))


def pool_facts(pool: Pool) -> list[str]:
    """``stride 2``, ``V``, ``ceil``: properties that differ from the usual ones.

    A pool that rounds its output size up reaches over the edge of the feature map, so it is not valid (``V``) even
    without padding.
    """
    padding = _padding(pool.kernel, pool.padding)
    if pool.ceil and pool.stride != 1 and padding != ["pad SAME"]:
        padding = [*(fact for fact in padding if fact != "V"), "ceil"]
    return _stride(pool.stride) + padding


def conv_kind(conv: Conv) -> Kind:
    """1×1, spatial (3×3, 5×5 ...) or one factor of a spatial one (1×7, 7×1 ...)."""
    if conv.kernel == (1, 1):
        return "pointwise"
    return "factor" if 1 in conv.kernel else "spatial"


def size(kernel: tuple[int, int]) -> str:
    """``1×7``: height × width."""
    return f"{kernel[0]}×{kernel[1]}"


def shape(channels: int, height: int, width: int) -> str:
    """``384×35×35``: channels × height × width, as everywhere in this package (the papers write channels last)."""
    return f"{channels}×{height}×{width}"


def count(value: int) -> str:
    """A number of parameters or multiply-adds with three digits: ``812``, ``23.8 k``, ``1.24 M``, ``6.17 G``."""
    if value < 1000:
        return str(value)
    units = (("k", 10**3), ("M", 10**6), ("G", 10**9), ("T", 10**12))
    unit, scale = next((u for u in units if value < 999.5 * u[1]), units[-1])
    scaled = value / scale
    digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
    return f"{scaled:.{digits}f} {unit}"


def number(value: float) -> str:
    """``0.1``, ``0.17``, ``2``: a number without trailing zeros."""
    return f"{value:.6g}"


def _follow(conv: Conv | Depthwise) -> list[str]:
    """The layers after the convolution, where they differ from the network's default."""
    facts = ["linear"] if conv.linear else []
    facts += [] if conv.norm is None else ["norm" if conv.norm else "no norm"]
    facts += [] if conv.bias is None else ["bias" if conv.bias else "no bias"]
    return facts + ([] if conv.act is None else [ACTIVATIONS[conv.act]])


def _stride(stride: Stride) -> list[str]:
    return _by_axis("stride", stride)


def _dilation(dilation: Dilation) -> list[str]:
    return _by_axis("dilation", dilation)


def _by_axis(word: str, value: Stride | Dilation) -> list[str]:
    """``stride 2``, or ``stride 2×1`` where height and width differ; nothing for 1."""
    down, across = stride_of(value)
    if down == across:
        return [f"{word} {down}"] if down != 1 else []
    return [f"{word} {down}×{across}"]


def _padding(kernel: tuple[int, int], padding: Padding, dilation: Dilation = 1) -> list[str]:
    zeros = padding_of(kernel, padding, dilation)
    if zeros == "tf":
        return ["pad SAME"]
    odd = kernel[0] % 2 == 1 and kernel[1] % 2 == 1
    if odd and zeros == padding_of(kernel, "same", dilation):
        return []
    return ["V"] if zeros == (0, 0) else [f"pad {size(zeros)}"]


def _narrow_lines(step: Narrow) -> tuple[str, ...]:
    first = "first channels" if step.start == 0 else f"channels from {step.start}"
    return first, str(step.width)


def _pool_kind(step: Pool | AdaptivePool) -> Kind:
    return "avg" if step.mode == "avg" else "max"


LABELS: dict[type[SpecModel], Callable[[Any, str], Box]] = {
    Conv: lambda step, path: Box(conv_lines(step), conv_kind(step), path=path),
    Depthwise: lambda step, path: Box(depthwise_lines(step), "spatial", path=path),
    Pool: lambda step, path: Box(pool_lines(step), _pool_kind(step), path=path),
    AdaptivePool: lambda step, path: Box((f"{_POOLS[step.mode]} to {size(step.size)}",), _pool_kind(step), path=path),
    Act: lambda step, path: Box((ACTIVATIONS[step.name],), "act", path=path, slim=True),
    Lrn: lambda step, path: Box(("local resp. norm", f"{step.size} channels"), "norm", path=path),
    Dropout: lambda step, path: Box(("dropout", f"p = {number(step.p)}"), "norm", path=path),
    Norm: lambda step, path: Box(("normalisation",), "norm", path=path, slim=True),
    Zero: lambda step, path: Box(("zeros",), "norm", path=path, slim=True),
    Narrow: lambda step, path: Box(_narrow_lines(step), "norm", path=path),
}
