"""The images and labels for proxies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from inception_search.data.frozen import FrozenData, thaw
from inception_search.data.loader import DeviceData, ImageSource
from inception_search.errors import DataError

LEAST = 2  # batch norm needs two images for a variance


@dataclass(frozen=True, eq=False)
class ProxyBatch:
    """``images`` (N, C, H, W) float32, normalised as for training, and ``labels`` int64 (N,), with N of 2 or more.

    Both are on the CPU. Raises :class:`DataError` for anything else.
    """

    images: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        images, labels = self.images, self.labels
        if images.dtype != torch.float32 or images.ndim != 4 or images.device.type != "cpu":
            found = f"{images.dtype} of shape {tuple(images.shape)} on {images.device}"
            raise DataError("images have the wrong type", found=found, expected="float32 (N, C, H, W) on the CPU")
        if labels.dtype != torch.int64 or labels.shape != images.shape[:1]:
            found = f"{labels.dtype} of shape {tuple(labels.shape)}"
            raise DataError("labels do not fit the images", found=found, expected=f"int64 ({len(images)},)")
        if len(labels) < LEAST:
            raise DataError("too few images for proxies", found=len(labels), expected=f"at least {LEAST}")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of every image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def parts(self, count: int) -> list[ProxyBatch]:
        """``count`` smaller batches of about equal size. Raises DataError if there are too few images."""
        images, labels = (torch.tensor_split(whole, count) for whole in (self.images, self.labels))
        return [ProxyBatch(*part) for part in zip(images, labels, strict=True)]


def proxy_batch(source: Path | str | ImageSource, size: int = 64, seed: int = 0) -> ProxyBatch:
    """``size`` different random training images (or all, if there are fewer), not augmented.

    ``source``: a dataset, or the file with the images of a study's trials (:mod:`inception_search.data.frozen`). The
    same ``seed`` draws the same images; the global random state does not change. Raises :class:`DataError`.
    """
    data = thaw(Path(source)) if isinstance(source, Path | str) else source
    train = data.splits["train"]
    chosen = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))[:size]
    few = FrozenData(
        name=data.name,
        classes=data.classes,
        shape=data.shape,
        mean=data.mean,
        std=data.std,
        augmentation=data.augmentation,
        splits={"train": train.take(chosen)},
    )
    images, labels = next(DeviceData(few, "cpu", ("train",)).eval_batches("train", max(1, len(chosen))))
    return ProxyBatch(images.contiguous(), labels)  # for few images torch's default layout is faster
