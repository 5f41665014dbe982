"""The tensor names and layouts of other frameworks: one row for each style."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from inception_search.errors import WeightsError

SAME = "same"  # the layout of PyTorch
# Layout of a tensor in a file -> the order of its axes in PyTorch.
AXES: Mapping[str, tuple[int, ...]] = {
    "HWIO": (3, 2, 0, 1),  # -> (O, I, H, W)
    "HWIM": (2, 3, 0, 1),  # depthwise, M filters for each input -> (I, M, H, W), then (I * M, 1, H, W)
    "11IO": (3, 2, 0, 1),  # a 1x1 convolution for a linear layer -> (O, I, 1, 1), then (O, I)
    "IO": (1, 0),  # -> (O, I)
}


class Style(NamedTuple):
    """The names of a layer's tensors, derived from the name of the layer.

    ``conv`` and ``norm`` are the prefixes of a layer with a norm and of its norm, ``alone`` of a layer without a norm.
    ``weight``, ``bias`` and the values of ``norm_tensors`` are the suffixes. ``layouts`` has the layout of the weight
    by the kind of the layer; ``optional``, the tensors of a norm that a file may lack.
    """

    conv: str
    norm: str
    alone: str
    weight: str
    bias: str
    norm_tensors: Mapping[str, str]
    layouts: Mapping[str, str]
    optional: frozenset[str]


_TORCH_NORM = {
    tensor: f".{tensor}" for tensor in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
}
_TORCH_LAYOUTS = {"conv": SAME, "depthwise": SAME, "linear": SAME}
_TENSORFLOW_NORM = {
    "weight": "/gamma",
    "bias": "/beta",
    "running_mean": "/moving_mean",
    "running_var": "/moving_variance",
}
_TENSORFLOW_LAYOUTS = {"conv": "HWIO", "depthwise": "HWIM", "linear": "IO"}
_COUNT = frozenset({"num_batches_tracked"})
_GAMMA = frozenset({"weight"})  # by default, norms of TF-slim and Keras have none

_SLIM = Style(
    conv="{}",
    norm="{}/BatchNorm",
    alone="{}",
    weight="/weights",
    bias="/biases",
    norm_tensors=_TENSORFLOW_NORM,
    layouts=_TENSORFLOW_LAYOUTS,
    optional=_GAMMA,
)
STYLES: Mapping[str, Style] = {
    "torch": Style("{}.conv", "{}.bn", "{}", ".weight", ".bias", _TORCH_NORM, _TORCH_LAYOUTS, _COUNT),
    "flat": Style("{}", "{}_bn", "{}", ".weight", ".bias", _TORCH_NORM, _TORCH_LAYOUTS, _COUNT),
    "slim": _SLIM,
    "slim_1x1": _SLIM._replace(layouts={**_TENSORFLOW_LAYOUTS, "linear": "11IO"}),  # classifiers are convolutions
    "keras": Style("{}", "{}_bn", "{}", "/kernel", "/bias", _TENSORFLOW_NORM, _TENSORFLOW_LAYOUTS, _GAMMA),
}


def torch_shape(layout: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape in PyTorch of a tensor that has ``shape`` in a file of ``layout``.

    Raises :class:`WeightsError` if ``shape`` is impossible in that layout.
    """
    if layout == SAME:
        return shape
    axes = AXES[layout]
    if len(shape) != len(axes) or (layout == "11IO" and shape[:2] != (1, 1)):
        raise WeightsError("a tensor has a shape that its layout cannot have", found=shape, expected=layout)
    turned = tuple(shape[axis] for axis in axes)
    if layout == "HWIM":
        return (turned[0] * turned[1], 1, *turned[2:])
    return turned[:2] if layout == "11IO" else turned
