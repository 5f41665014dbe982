"""The contribution of each test image to accuracy, balanced accuracy or macro F1; their mean is the score."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Classes: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]


def image_parts(truth: Classes, answers: Classes, quality: str) -> Floats:
    """One number per image (N,); their mean is ``quality``, and their spread gives its standard error.

    For accuracy, an image contributes 1 if its prediction is correct. The other measures are ratios of counts: an image
    contributes the value plus its influence, which is N times the first-order change for a larger weight of the image.

    >>> image_parts(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), "balanced_accuracy").mean().round(4)
    0.8333
    """
    if quality == "accuracy":
        return np.asarray(truth == answers, dtype=np.float64)
    classes, images = int(max(truth.max(), answers.max())) + 1, len(truth)
    is_true, is_named = (np.eye(classes)[labels] for labels in (truth, answers))  # (N, classes)
    gained = is_true * is_named
    counted = is_true if quality == "balanced_accuracy" else (is_true + is_named) / 2
    total = counted.sum(axis=0)
    seen = total > 0
    value = gained.sum(axis=0)[seen] / total[seen]
    influence = (gained[:, seen] - value * counted[:, seen]) / total[seen]
    return np.asarray(value.mean() + images * influence.mean(axis=1), dtype=np.float64)


def packed(classes: Sequence[int] | Classes) -> str:
    """Class numbers as a short text."""
    return base64.b64encode(zlib.compress(np.asarray(classes, dtype="<u4").tobytes(), 9)).decode()


def unpacked(text: str, images: int) -> Classes:
    """The class numbers of ``images`` images from :func:`packed`; raises ValueError for other texts or lengths."""
    reader = zlib.decompressobj()
    try:
        data = reader.decompress(base64.b64decode(text, validate=True), 4 * images + 1)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"not the classes of images: {error}") from None
    if len(data) != 4 * images or not reader.eof:
        raise ValueError(f"not the classes of {images} images")
    return np.frombuffer(data, dtype="<u4").astype(np.int64)
