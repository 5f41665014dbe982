"""Single operations as TensorFlow computes them, in ``tf_layers.npz``, which ``test_tf_layers.py`` reads.

``python tests/conformance/tf_layers.py`` writes that file anew; it needs ``tensorflow-cpu==2.15.1``, and no torch.
Everything is in float64 but the local response normalisation, which TensorFlow has in float32 only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

FILE = Path(__file__).with_suffix(".npz")


class Case(NamedTuple):
    """``compute(image, *parameters)`` on an NHWC image; ``parameters``: name -> shape."""

    image: tuple[int, int, int]
    compute: Callable[..., Any]
    parameters: dict[str, tuple[int, ...]]
    scale: float = 1.0
    offset: float = 0.0
    dtype: str = "float64"


def main() -> None:
    """Evaluate every case and write ``<case>:image``, ``<case>:<parameter>`` and ``<case>:output``."""
    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {}
    for name, case in CASES.items():
        image = (rng.standard_normal((1, *case.image)) * case.scale + case.offset).astype(case.dtype)
        values = {key: _value(key, shape, rng) for key, shape in case.parameters.items()}
        output = case.compute(tf.constant(image), *map(tf.constant, values.values())).numpy()
        arrays |= {f"{name}:{key}": value for key, value in {"image": image, **values, "output": output}.items()}
    np.savez(FILE, **arrays)


def _value(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(0.01, 1.5, shape) if name == "variance" else rng.standard_normal(shape)


def conv(height: int, width: int, kernel: tuple[int, int], stride: int = 1, dilation: int = 1) -> Case:
    """A convolution with a bias."""

    def compute(x: Any, weight: Any, bias: Any) -> Any:
        return tf.nn.conv2d(x, weight, stride, "SAME", dilations=dilation) + bias

    return Case((height, width, 3), compute, {"kernel": (*kernel, 3, 4), "bias": (4,)})


def separable(height: int, width: int) -> Case:
    """The first layer of TF-slim's inception_v2 on three channels: 7x7 with 8 filters for each, then 1x1."""

    def compute(x: Any, depthwise: Any, pointwise: Any, bias: Any) -> Any:
        return tf.nn.separable_conv2d(x, depthwise, pointwise, (1, 2, 2, 1), "SAME") + bias

    return Case((height, width, 3), compute, {"depthwise": (7, 7, 3, 8), "kernel": (1, 1, 24, 4), "bias": (4,)})


def pool(mode: str, height: int, width: int, kernel: int, stride: int) -> Case:
    """A pool of maps far from zero: a maximum of padded zeros, or an average that counts them, would show."""
    compute = {"max": tf.nn.max_pool2d, "avg": tf.nn.avg_pool2d}[mode]
    return Case((height, width, 2), lambda x: compute(x, kernel, stride, "SAME"), {}, offset=-10.0)


def batch_norm() -> Case:
    """Stored statistics, a shift and no scale."""

    def compute(x: Any, beta: Any, mean: Any, variance: Any) -> Any:
        return tf.nn.batch_normalization(x, mean, variance, beta, None, 1e-3)

    return Case((5, 4, 6), compute, {"beta": (6,), "mean": (6,), "variance": (6,)})


def lrn() -> Case:
    """GoogLeNet's, on values large enough for it to matter."""

    def compute(x: Any) -> Any:
        return tf.nn.lrn(x, depth_radius=2, bias=1.0, alpha=2e-5, beta=0.75)

    return Case((4, 3, 9), compute, {}, scale=200.0, dtype="float32")


CASES = {
    "conv_7x7_s2": conv(15, 14, (7, 7), 2),
    "conv_3x3_s2_odd_even": conv(9, 8, (3, 3), 2),
    "conv_3x3_s2_even_odd": conv(8, 9, (3, 3), 2),
    "conv_5x5_s3": conv(10, 12, (5, 5), 3),
    "conv_1x1_s2": conv(8, 9, (1, 1), 2),
    "conv_1x7": conv(8, 9, (1, 7)),
    "conv_2x4": conv(8, 9, (2, 4)),
    "conv_3x3_dilated": conv(8, 9, (3, 3), dilation=2),
    "separable_7x7_s2": separable(15, 14),
    "max_3x3_s1": pool("max", 8, 9, 3, 1),
    "max_3x3_s2_odd_even": pool("max", 9, 8, 3, 2),
    "max_3x3_s2_even_odd": pool("max", 8, 9, 3, 2),
    "max_2x2_s2_odd_even": pool("max", 9, 8, 2, 2),
    "max_2x2_s2_even_odd": pool("max", 8, 9, 2, 2),
    "avg_3x3_s1": pool("avg", 8, 9, 3, 1),
    "avg_3x3_s2_odd_even": pool("avg", 9, 8, 3, 2),
    "avg_3x3_s2_even_odd": pool("avg", 8, 9, 3, 2),
    "batch_norm": batch_norm(),
    "lrn": lrn(),
}

if __name__ == "__main__":
    main()
