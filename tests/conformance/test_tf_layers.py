"""Steps of a document with TensorFlow's padding compute what TensorFlow does; ``tf_layers.py`` wrote the arrays."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

import inception_search as ins
from inception_search.weights.fit import turned
from tests.conformance.compare import relative_difference

FILE = Path(__file__).with_name("tf_layers.npz")
LAYOUTS = {"kernel": "HWIO", "depthwise": "HWIM"}
TOLERANCES = {torch.float64: 1e-12, torch.float32: 1e-6}  # TensorFlow has the LRN in float32 only


class Layer(NamedTuple):
    """A step of a document and, in its own order, the arrays that are its parameters and statistics."""

    step: str
    parameters: tuple[str, ...] = ()


AFFINE = ("kernel", "bias")
STEM = "{depthwise: {kernel: 7x7, multiplier: 8, stride: 2, norm: false, act: none, bias: false}}"
LAYERS = {
    "conv_7x7_s2": Layer("7x7 4 s2", AFFINE),
    "conv_3x3_s2_odd_even": Layer("3x3 4 s2", AFFINE),
    "conv_3x3_s2_even_odd": Layer("3x3 4 s2", AFFINE),
    "conv_5x5_s3": Layer("5x5 4 s3", AFFINE),
    "conv_1x1_s2": Layer("1x1 4 s2", AFFINE),
    "conv_1x7": Layer("1x7 4", AFFINE),
    "conv_2x4": Layer("{conv: {kernel: 2x4, width: 4, padding: tf}}", AFFINE),
    "conv_3x3_dilated": Layer("{conv: {kernel: 3x3, width: 4, dilation: 2}}", AFFINE),
    "separable_7x7_s2": Layer(f"[{STEM}, 1x1 4]", ("depthwise", *AFFINE)),
    "max_3x3_s1": Layer("max 3x3"),
    "max_3x3_s2_odd_even": Layer("max 3x3 s2"),
    "max_3x3_s2_even_odd": Layer("max 3x3 s2"),
    "max_2x2_s2_odd_even": Layer("{pool: {mode: max, kernel: 2x2, stride: 2, padding: tf}}"),
    "max_2x2_s2_even_odd": Layer("{pool: {mode: max, kernel: 2x2, stride: 2, padding: tf}}"),
    "avg_3x3_s1": Layer("avg 3x3"),
    "avg_3x3_s2_odd_even": Layer("avg 3x3 s2"),
    "avg_3x3_s2_even_odd": Layer("avg 3x3 s2"),
    "batch_norm": Layer("norm", ("beta", "mean", "variance")),
    "lrn": Layer("lrn"),
}
DOCUMENT = """
schema: inception-search/network
version: 1
name: one_layer
input: {{channels: {channels}, height: {height}, width: {width}}}
same_padding: tf
conv_defaults: {{norm: {norm}, act: none, bias: true}}
stages: {{layer: {step}}}
head: {{classes: 2}}
"""


@pytest.fixture(scope="module")
def arrays() -> dict[str, Tensor]:
    with np.load(FILE) as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


@pytest.mark.parametrize("name", LAYERS)
def test_a_step_computes_what_tensorflow_does(name: str, arrays: dict[str, Tensor]) -> None:
    layer, image = LAYERS[name], arrays[f"{name}:image"].movedim(-1, 1)
    channels, height, width = image.shape[1:]
    norm = "{eps: 0.001, gamma: false}" if layer.step == "norm" else "none"
    document = DOCUMENT.format(channels=channels, height=height, width=width, norm=norm, step=layer.step)
    module = ins.compile(document).to(image.dtype).eval()
    state = {k: v for k, v in module.state_dict().items() if k.startswith("layer.") and v.is_floating_point()}
    for value, parameter in zip(state.values(), layer.parameters, strict=True):
        array = arrays[f"{name}:{parameter}"]
        value.copy_(turned(array, LAYOUTS.get(parameter, "same"), tuple(value.shape)))
    with torch.no_grad():
        found = module.features(image, ["layer"])["layer"]
    expected = arrays[f"{name}:output"].movedim(-1, 1)
    assert relative_difference(found, expected) <= TOLERANCES[image.dtype]


def test_every_array_is_used(arrays: dict[str, Tensor]) -> None:
    used = {f"{name}:{key}" for name, layer in LAYERS.items() for key in ("image", *layer.parameters, "output")}
    assert used == set(arrays)
