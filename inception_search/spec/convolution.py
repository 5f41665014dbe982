"""The fields of dense and depthwise convolutions, and their rules."""

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

    ``kernel`` is (height, width). ``factor`` replaces the k×k convolution by smaller ones with the same receptive
    field and width: ``row_col`` is 1×k then k×1, ``col_row`` k×1 then 1×k, and ``stacked`` a chain of 3×3. ``split`` is
    1×k beside k×1, each with half the width, concatenated (Inception v3, Fig. 7). ``mid`` is the width between factors
    in series (default: ``width``). The stride applies to each factor's own axis (row/col), to the last 3×3 (stacked),
    or to both halves (split). Padding ``same`` is k//2 on every side, and a pair is (height, width). ``tf`` is
    TensorFlow's SAME: the output size is ceil(input / stride), and an odd zero goes to the bottom and right.
    ``dilation`` is the distance between input values that neighbouring kernel weights read; a pair is (height, width).
    ``norm``, ``act`` and ``bias`` override the network's ``conv_defaults``; None keeps the default. For ``norm``, false
    means none, true the network's norm (a default batch norm if it has none), and fields describe another one.
    ``linear`` means a bias, and neither norm nor activation.
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
    """Whether ``conv`` stays valid with any other ``width`` and ``mid`` (with any even width if ``even``)."""
    return conv.groups == 1 and (conv.factor != "split" or even)


class Depthwise(SpecModel):
    """Convolution of every input channel with ``multiplier`` filters of its own, then the network's norm and act.

    Followed by a 1×1 convolution, it is a separable convolution. GoogLeNet and BN-Inception begin with one of
    multiplier 8 (1409.4842 Table 1, 1502.03167 section 4).
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
        raise ValueError("linear already sets norm, act and bias; drop it, or drop them")


def check_same(kernel: tuple[int, int], padding: Padding) -> None:
    if padding == "same" and (kernel[0] % 2 == 0 or kernel[1] % 2 == 0):
        raise ValueError("an even kernel has no same padding; write valid, tf, or padding: [h, w]")


def check_pair(name: str, value: Stride | Dilation) -> None:
    """Refuse a pair of equal height and width: one value has one spelling."""
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
        raise ValueError("split needs same padding: its two halves must have equal map sizes")
