"""Convolutions, dense and depthwise: what a document may say of one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from inception_search.spec.base_model import (
    Activation,
    BatchNorm,
    Dilation,
    Factor,
    Flag,
    Padding,
    Size,
    SpecModel,
    Stride,
    Width,
)


class Conv(SpecModel):
    """Convolution, then the network's norm and activation.

    ``kernel`` is (height, width). ``factor`` keeps the slot, receptive field and width of the k×k convolution and
    changes what computes it: ``row_col`` 1×k then k×1, ``col_row`` k×1 then 1×k, ``stacked`` a chain of 3×3,
    ``split`` 1×k beside k×1, each with half the width, concatenated (Inception v3, Fig. 7). ``mid`` is the width
    between factors in series (default: ``width``). Stride: on each factor's own axis (row/col), on the last 3×3
    (stacked), on both halves (split). ``same`` pads k//2 on every side; a pair is (height, width) padding; ``tf``
    is TensorFlow's SAME: an output of ceil(input / stride), the odd zero at the bottom and right.
    ``dilation`` is the distance between the values that neighbouring weights of the kernel see; a pair is
    (height, width).
    ``norm``, ``act`` and ``bias`` replace what the network's ``conv_defaults`` say (None: as they say). ``norm``:
    false is none, true is the network's (a default batch norm where it has none), or the fields of one.
    ``linear`` is a bias, and neither norm nor activation.
    """

    kind: Literal["conv"] = "conv"
    kernel: tuple[Size, Size]
    width: Width
    stride: Stride = 1
    padding: Padding = "same"
    groups: Width = 1
    dilation: Dilation = 1
    factor: Factor = "none"
    mid: Width | None = None
    linear: Flag = False
    norm: Flag | BatchNorm | None = None
    act: Activation | None = None
    bias: Flag | None = None

    @model_validator(mode="after")
    def _check(self) -> Conv:
        _check_follow(self)
        if self.factor != "none" or self.mid is not None:
            _check_factor(self)
        check_same(self.kernel, self.padding)
        check_pair("stride", self.stride)
        check_pair("dilation", self.dilation)
        for width in (self.width, self.mid or 0) if self.groups != 1 else ():
            if width % self.groups:
                raise ValueError(f"width {width} is not divisible by groups {self.groups}")
        if self.factor == "split" and (self.width // 2) % self.groups:
            raise ValueError(f"half of width {self.width}, for split, is not divisible by groups {self.groups}")
        return self


def resizable(conv: Conv, *, even: bool) -> bool:
    """Whether ``conv`` keeps every rule with any other width and mid (any ``even`` width) in their place."""
    return conv.groups == 1 and (conv.factor != "split" or even)


class Depthwise(SpecModel):
    """Convolution of every input channel on its own with ``multiplier`` filters, then the network's norm and act.

    Before a 1×1 convolution it makes a separable one (GoogLeNet's Table 1 and BN-Inception begin with one of
    multiplier 8: 1409.4842 Table 1, 1502.03167 section 4).
    """

    kind: Literal["depthwise"] = "depthwise"
    kernel: tuple[Size, Size]
    multiplier: Annotated[int, Field(strict=True, ge=1, le=1024)] = 1
    stride: Stride = 1
    padding: Padding = "same"
    dilation: Dilation = 1
    linear: Flag = False
    norm: Flag | BatchNorm | None = None
    act: Activation | None = None
    bias: Flag | None = None

    @model_validator(mode="after")
    def _check(self) -> Depthwise:
        _check_follow(self)
        check_same(self.kernel, self.padding)
        check_pair("stride", self.stride)
        check_pair("dilation", self.dilation)
        return self


def _check_follow(conv: Conv | Depthwise) -> None:
    if conv.linear and (conv.norm, conv.act, conv.bias) != (None, None, None):
        raise ValueError("linear says norm, act and bias already; drop it, or them")


def check_same(kernel: tuple[int, int], padding: Padding) -> None:
    if padding == "same" and (kernel[0] % 2 == 0 or kernel[1] % 2 == 0):
        raise ValueError("an even kernel has no same padding; write valid, tf, or padding: [h, w]")


def check_pair(name: str, value: Stride | Dilation) -> None:
    """Refuse an equal (height, width) pair: one spelling for one thing."""
    if isinstance(value, tuple) and value[0] == value[1]:
        raise ValueError(f"write an equal {name} as one number: {name}: {value[0]}")


def _check_factor(conv: Conv) -> None:
    (h, w), factor = conv.kernel, conv.factor
    if factor in ("none", "split") and conv.mid is not None:
        raise ValueError(f"mid {conv.mid} needs a factor in series; write row_col, col_row or stacked, or drop it")
    if factor != "none" and (h == 1 or w == 1):
        raise ValueError(f"a {h}x{w} kernel cannot be factored as {factor}; write factor none")
    if factor == "stacked" and (h != w or h % 2 == 0 or h < 5):
        raise ValueError(f"stacked 3x3 needs an odd square kernel of 5 or more, got {h}x{w}")
    if factor == "stacked" and isinstance(conv.padding, tuple):
        raise ValueError("stacked 3x3 takes same, valid or tf padding")
    if factor == "split" and conv.width % 2:
        raise ValueError(f"split halves the width, so it must be even, got {conv.width}")
    if factor == "split" and conv.padding not in ("same", "tf"):
        raise ValueError("split needs same padding: its two halves must keep one map size")
