"""Steps without inner steps or filters of their own: pools, normalisation, activations, identity and others."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from inception_search.spec.base_model import (
    Activation,
    Finite,
    Flag,
    Padding,
    Probability,
    Size,
    SpecModel,
    Start,
    Stride,
    Width,
)
from inception_search.spec.convolution import check_pair, check_same


class Pool(SpecModel):
    """Pooling over ``kernel`` (height, width); l2 is the root of the summed squares.

    ``count_pad``: an average divides by the whole window, padding included. ``ceil``: the output size is
    rounded up. None means the value in the network's ``pool_defaults``.
    """

    kind: Literal["pool"] = "pool"
    mode: Literal["max", "avg", "l2"]
    kernel: tuple[Size, Size] = (3, 3)
    stride: Stride = 1
    padding: Padding = "same"
    count_pad: Flag | None = None
    ceil: Flag | None = None

    @model_validator(mode="after")
    def _check(self) -> Pool:
        check_same(self.kernel, self.padding)
        check_pair("stride", self.stride)
        if isinstance(self.padding, tuple) and any(2 * p > k for p, k in zip(self.padding, self.kernel, strict=True)):
            raise ValueError(f"padding {list(self.padding)} is more than half the kernel {list(self.kernel)}")
        return self


class AdaptivePool(SpecModel):
    """Pooling to a feature map of ``size`` (height, width) from any input size (torchvision's GoogLeNet: 4×4)."""

    kind: Literal["adaptive_pool"] = "adaptive_pool"
    mode: Literal["max", "avg"] = "avg"
    size: tuple[Size, Size]


class Lrn(SpecModel):
    """Local response normalisation across ``size`` channels (GoogLeNet; Krizhevsky et al. 2012, section 3.3)."""

    kind: Literal["lrn"] = "lrn"
    size: Size = 5
    alpha: Finite = 1e-4
    beta: Finite = 0.75
    k: Finite = 1.0


class Dropout(SpecModel):
    """Zero each element with probability ``p`` in training."""

    kind: Literal["dropout"] = "dropout"
    p: Probability = 0.5


class Norm(SpecModel):
    """The network's normalisation as a step of its own."""

    kind: Literal["norm"] = "norm"


class Act(SpecModel):
    """An activation as a step of its own."""

    kind: Literal["act"] = "act"
    name: Activation = "relu"


class Identity(SpecModel):
    """Passes its input on: a shortcut branch of a concat."""

    kind: Literal["identity"] = "identity"


class Absent(SpecModel):
    """A missing branch; :func:`concat` drops it."""

    kind: Literal["absent"] = "absent"


class Zero(SpecModel):
    """Zeros of the input's shape: a missing edge in NAS-Bench-201 (2001.00326, section 2.2)."""

    kind: Literal["zero"] = "zero"


class Narrow(SpecModel):
    """Select ``width`` channels, beginning at channel ``start`` (counted from 0).

    NAS-Bench-101 drops one channel if a division leaves a remainder (1902.09635).
    """

    kind: Literal["narrow"] = "narrow"
    width: Width
    start: Start = 0
