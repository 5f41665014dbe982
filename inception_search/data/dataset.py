"""The types of a dataset: images and labels of one split, and the three splits with their facts.

The module also contains the resizing to squares, which gives the same bits on every machine.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from inception_search.data.augment import NONE, Augmentation
from inception_search.errors import DataError

SPLITS = ("train", "validation", "test")
_CHUNK = 1 << 24  # pixel values counted together; limits the temporary memory of the statistics


@dataclass(frozen=True, eq=False)
class Split:
    """``images`` uint8 (N, C, H, W), values 0..255, and ``labels`` int64 (N,); raises DataError for other types."""

    images: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        images, labels = self.images, self.labels
        if images.dtype != torch.uint8 or images.ndim != 4:
            found = f"{images.dtype} of shape {tuple(images.shape)}"
            raise DataError("images have the wrong type", found=found, expected="uint8 (N, C, H, W)")
        if labels.dtype != torch.int64 or labels.shape != images.shape[:1]:
            found = f"{labels.dtype} of shape {tuple(labels.shape)}"
            raise DataError("labels do not fit the images", found=found, expected=f"int64 ({len(images)},)")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Tensor) -> Split:
        """The images and labels at ``indices`` (int64, (M,)), copied."""
        return Split(self.images[indices], self.labels[indices])


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training, validation and test images of one shape, in CPU memory.

    ``classes`` are names in label order. ``augmentation`` contains the changes of a training image that preserve its
    class. Raises DataError for an empty split, different shapes or labels out of range.
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    validation: Split
    test: Split
    augmentation: Augmentation = NONE
    notes: tuple[str, ...] = ()
    """Sentences about how the files were read and which were ignored."""

    def __post_init__(self) -> None:
        for name, split in self.splits.items():
            _check_split(self.name, name, split, self.shape, len(self.classes))

    @property
    def splits(self) -> Mapping[str, Split]:
        """The three splits by name, in the order train, validation, test."""
        return MappingProxyType({"train": self.train, "validation": self.validation, "test": self.test})

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of every image."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    @property
    def mean(self) -> tuple[float, ...]:
        """Mean per channel of the training images, on the 0..1 scale."""
        return self._statistics[0]

    @property
    def std(self) -> tuple[float, ...]:
        """Standard deviation per channel of the training images, on the 0..1 scale; 1.0 for a constant channel."""
        return self._statistics[1]

    @cached_property
    def _statistics(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        moments = [_moments(channel) for channel in _histograms(self.train.images)]
        return tuple(mean for mean, _ in moments), tuple(std or 1.0 for _, std in moments)

    @cached_property
    def fingerprint(self) -> str:
        """First 16 hex digits of the SHA-256 over shapes, images and labels of all splits."""
        digest = hashlib.sha256()
        for split in self.splits.values():
            digest.update(repr(tuple(split.images.shape)).encode())
            digest.update(split.images.contiguous().numpy().data)
            digest.update(split.labels.contiguous().numpy().astype("<i8", copy=False).data)
        return digest.hexdigest()[:16]

    def describe(self) -> dict[str, Any]:
        """The facts about the data for the record of a run; plain JSON values."""
        return {
            "name": self.name,
            "fingerprint": self.fingerprint,
            "sizes": {name: len(split) for name, split in self.splits.items()},
            "classes": len(self.classes),
            "shape": list(self.shape),
        }


def _check_split(dataset: str, name: str, split: Split, shape: tuple[int, ...], classes: int) -> None:
    if not len(split):
        raise DataError("the split is empty", path=f"{dataset}.{name}", expected="at least one image")
    own = tuple(split.images.shape[1:])
    if own != shape:
        raise DataError("images of a different shape", path=f"{dataset}.{name}", found=own, expected=f"{shape}")
    low, high = int(split.labels.min()), int(split.labels.max())
    if low < 0 or high >= classes:
        found = low if low < 0 else high
        raise DataError("label out of range", path=f"{dataset}.{name}", found=found, expected=f"0..{classes - 1}")


def _histograms(images: Tensor) -> Tensor:
    """Counts (C, 256) of each pixel value of ``images`` uint8 (N, C, H, W)."""
    counts = torch.zeros(images.shape[1], 256, dtype=torch.int64)
    step = max(1, _CHUNK // math.prod(images.shape[1:]))
    for chunk in torch.split(images, step):
        for channel in range(images.shape[1]):
            counts[channel] += torch.bincount(chunk[:, channel].flatten(), minlength=256)
    return counts


def _moments(counts: Tensor) -> tuple[float, float]:
    """Mean and standard deviation, on the 0..1 scale, from ``counts`` (256,) of pixel values; sums are exact."""
    pairs = list(enumerate(counts.tolist()))
    n = sum(count for _, count in pairs)
    total = sum(value * count for value, count in pairs)
    squares = sum(value * value * count for value, count in pairs)
    variance = (n * squares - total * total) / (n * n)
    return total / n / 255, math.sqrt(variance) / 255


_RESIZED = 4096  # images resized together; limits the temporary float64 memory
_TIE = 1e-6  # makes exact halves round up on every machine, independent of the order of summation


def resize(images: Tensor, size: int | None) -> Tensor:
    """``images`` uint8 (N, C, H, W) resized to (N, C, size, size), bilinear with antialiasing; unchanged for None."""
    if size is None or tuple(images.shape[2:]) == (size, size):
        return images
    return torch.cat([_resize(chunk, size) for chunk in torch.split(images, _RESIZED)])


def _resize(images: Tensor, size: int) -> Tensor:
    exact = F.interpolate(images.double(), (size, size), mode="bilinear", align_corners=False, antialias=True)
    return (exact + (0.5 + _TIE)).floor().clamp(0, 255).to(torch.uint8)
