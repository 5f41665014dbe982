"""A dataset resident on the training device, and its batches: normalised, augmented, channels_last.

Images are stored on the device as uint8 (N, H, W, C), and a batch is a (B, C, H, W) view of that. Its strides are thus
channels_last even with one channel. ``contiguous(memory_format=channels_last)`` would then do nothing, and the whole
network would run in the slow layout.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import torch
from torch import Generator, Tensor

from inception_search.data.augment import Augmentation, augment
from inception_search.data.class_weights import ClassWeights, weights_of
from inception_search.data.dataset import Split
from inception_search.errors import DataError, raw

_DRAW = 0  # the seed of the choice of images from a split; fixed, so that trainings are comparable
_CHUNK = 1 << 24  # float values prepared together (64 MiB): few kernels per epoch, limited memory

Batch = tuple[Tensor, Tensor]


class ImageSource(Protocol):
    """The interface of a dataset for :class:`DeviceData`."""

    @property
    def name(self) -> str: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def shape(self) -> tuple[int, int, int]: ...
    @property
    def mean(self) -> tuple[float, ...]: ...
    @property
    def std(self) -> tuple[float, ...]: ...
    @property
    def augmentation(self) -> Augmentation: ...
    @property
    def splits(self) -> Mapping[str, Split]: ...


@dataclass(frozen=True, eq=False)
class _Resident:
    images: Tensor  # uint8 (N, H, W, C)
    labels: Tensor  # int64 (N,)


class DeviceData:
    """The named ``splits`` of ``dataset`` on ``device``; by default without the test set.

    It keeps no reference to the dataset, so that other splits are not accessible through it.
    """

    def __init__(
        self,
        dataset: ImageSource,
        device: torch.device | str,
        splits: Sequence[str] = ("train", "validation"),
    ) -> None:
        self.name = dataset.name
        self.device = torch.device(device)
        self.class_names = tuple(dataset.classes)
        self.classes = len(self.class_names)
        self.shape = dataset.shape
        self.mean, self.std = tuple(dataset.mean), tuple(dataset.std)
        self.augmentation: Augmentation = dataset.augmentation
        self._splits = {name: _to_device(_find(dataset, name), self.device) for name in splits}
        std = torch.tensor(self.std, dtype=torch.float64)
        mean = torch.tensor(self.mean, dtype=torch.float64)
        self._scale = (1 / (255 * std)).float().to(self.device)  # (C,)
        self._offset = (-mean / std).float().to(self.device)  # (C,)

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits on the device."""
        return tuple(self._splits)

    @cached_property
    def fingerprint(self) -> str:
        """First 16 hex digits of the SHA-256 over the splits on the device, with normalisation and labels."""
        digest = hashlib.sha256(repr((self.name, self.classes, self.shape, self.augmentation, self.splits)).encode())
        tensors = [self._scale, self._offset]
        tensors += [part for split in self._splits.values() for part in (split.images, split.labels)]
        for tensor in tensors:
            digest.update(repr((tuple(tensor.shape), tensor.dtype)).encode())
            digest.update(tensor.cpu().contiguous().numpy().data)
        return digest.hexdigest()[:16]

    def size(self, split: str) -> int:
        """The number of images in ``split``; raises DataError if it is not on the device."""
        return len(self._resident(split).labels)

    def class_weights(self, chosen: ClassWeights) -> Tensor | None:
        """The weight of each class in the loss, float32 (classes,), for these training images; None: equal weights.

        ``chosen`` is as for :func:`~inception_search.data.class_weights.weights_of`.
        """
        counts = self._resident("train").labels.cpu().bincount(minlength=self.classes).tolist()
        weights = weights_of(chosen, self.class_names, counts)
        return None if weights is None else torch.tensor(weights, device=self.device)

    def steps_per_epoch(self, batch_size: int) -> int:
        """The number of batches in one pass of :meth:`train_batches`."""
        return max(1, self.size("train") // batch_size)

    def train_batches(
        self, batch_size: int, generator: Generator, augment: bool = True, cutout: float = 0.0
    ) -> Iterator[Batch]:
        """One shuffled pass: (images float32 (B, C, H, W) channels_last, labels int64 (B,)) on the device.

        ``generator``, on the same device, determines order and augmentation. A smaller last batch is dropped
        unless it is the only one. ``augment`` applies the dataset's augmentation, and ``cutout`` in addition.
        """
        data = self._resident("train")
        count = min(len(data.labels), self.steps_per_epoch(batch_size) * batch_size)
        order = torch.randperm(len(data.labels), generator=generator, device=self.device)[:count]
        what = replace(self.augmentation, cutout=cutout or self.augmentation.cutout) if augment else None
        for chunk in torch.split(order, self._chunk(batch_size)):
            images, labels = self._prepare(data.images[chunk], what, generator), data.labels[chunk]
            yield from zip(torch.split(images, batch_size), torch.split(labels, batch_size), strict=True)

    def train_sample(self, count: int, generator: Generator) -> Tensor:
        """A batch of ``count`` different random training images (or all, if there are fewer), not augmented."""
        data = self._resident("train")
        chosen = torch.randperm(len(data.labels), generator=generator, device=self.device)[:count]
        return self._prepare(data.images[chosen])

    def eval_batches(self, split: str, batch_size: int, images: int | None = None) -> Iterator[Batch]:
        """All of ``split`` in order, prepared as in :meth:`train_batches`; the last batch may be smaller.

        With ``images``, only that number of images: a random choice, which is always the same.
        """
        data = self._resident(split)
        count = self.evaluated(split, images)
        chosen = None if count == len(data.labels) else self._drawn(split, count)
        for start in range(0, count, batch_size):
            piece = slice(start, start + batch_size) if chosen is None else chosen[start : start + batch_size]
            yield self._prepare(data.images[piece]), data.labels[piece]

    def evaluated(self, split: str, images: int | None = None) -> int:
        """The number of images in :meth:`eval_batches`."""
        return self.size(split) if images is None else min(images, self.size(split))

    def _drawn(self, split: str, count: int) -> Tensor:
        """Sorted random indices, int64, of ``count`` images of ``split``, whose images may be sorted by class."""
        generator = Generator().manual_seed(_DRAW)
        return torch.randperm(self.size(split), generator=generator)[:count].sort().values.to(self.device)

    def _prepare(self, images: Tensor, what: Augmentation | None = None, generator: Generator | None = None) -> Tensor:
        """Convert uint8 (B, H, W, C) to normalised float32 (B, C, H, W), channels_last."""
        if what is not None and generator is not None:
            images = augment(images, what, generator)
        return channels_last_view(images.to(self._scale.dtype).mul_(self._scale).add_(self._offset))

    def _chunk(self, batch_size: int) -> int:
        """The number of images prepared together: whole batches, at least one."""
        channels, height, width = self.shape
        return max(1, _CHUNK // (channels * height * width * batch_size)) * batch_size

    def _resident(self, split: str) -> _Resident:
        try:
            return self._splits[split]
        except KeyError:
            here = ", ".join(self._splits)
            hint = f"name it when the data is moved to the device: splits=(..., {split!r})"
            raise DataError(
                "the split is not on the device", found=split, expected=raw(f"one of {here}"), hint=hint
            ) from None


def channels_last_view(images: Tensor) -> Tensor:
    """A view (B, C, H, W) of (B, H, W, C) with channels_last strides, also if C is 1.

    ``permute`` is not enough for C = 1: torch may give that axis any stride, and convolutions decide by strides.
    """
    batch, height, width, channels = images.shape
    strides = (height * width * channels, 1, width * channels, channels)
    return images.contiguous().as_strided((batch, channels, height, width), strides)


def _find(dataset: ImageSource, name: str) -> Split:
    try:
        return dataset.splits[name]
    except KeyError:
        expected = "one of " + ", ".join(dataset.splits)
        raise DataError("there is no such split", found=name, expected=expected) from None


def _to_device(split: Split, device: torch.device) -> _Resident:
    images = split.images.to(device, non_blocking=True).permute(0, 2, 3, 1).contiguous()
    return _Resident(images, split.labels.to(device, non_blocking=True))
