"""Images for the stages that train: Fashion-MNIST where it is there, else made-up ones, in the files of datasets."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.gpu_stages.task import Task
from inception_search.data.cifar10_files import BINARY_FORM
from inception_search.data.fashion_mnist import CLASSES, DEFAULT_ROOT, FILES, read_idx

COLOURED = 4_000  # images in each of the six files of the coloured dataset; in a dry run 100
MADE_UP = {False: (60_000, 10_000), True: (600, 100)}  # training and test images


class Folders(NamedTuple):
    """The folders of two datasets, and where their images come from."""

    grey: Path
    """Of ``fashion_mnist``: 28x28."""
    coloured: Path
    """Of ``cifar10``: the same images at 32x32 in three channels."""
    source: str


def prepared(task: Task) -> Folders:
    """The datasets, made once for all stages."""
    source = task.data or DEFAULT_ROOT
    made_up = task.small or not any(path.is_file() for path in _spellings(source, FILES[0]))
    grey = task.scratch / "grey" if made_up else source
    if made_up:
        _make_up(grey, *MADE_UP[task.small])
    coloured = task.scratch / "coloured"
    _colour(grey, coloured, 100 if task.small else COLOURED)
    return Folders(grey, coloured, "made-up images" if made_up else "Fashion-MNIST")


def _make_up(folder: Path, *counts: int) -> None:
    """The four files of Fashion-MNIST with ten smooth patterns, shifted and in noise."""
    if folder.is_dir():
        return
    folder.mkdir()
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(len(CLASSES), 1, 7, 7, generator=generator)
    patterns = F.interpolate(coarse, size=(28, 28), mode="bilinear")[:, 0]
    for count, images_file, labels_file in zip(counts, FILES[::2], FILES[1::2], strict=True):
        labels = torch.arange(count) % len(CLASSES)
        noise = torch.randn(count, 28, 28, generator=generator)
        images = (160 * patterns[labels] + 40 * noise + 40).clamp(0, 255).to(torch.uint8)
        (folder / images_file).write_bytes(_header(count, 28, 28) + images.numpy().tobytes())
        (folder / labels_file).write_bytes(_header(count) + labels.to(torch.uint8).numpy().tobytes())


def _header(*sizes: int) -> bytes:
    return bytes([0, 0, 8, len(sizes)]) + b"".join(size.to_bytes(4, "big") for size in sizes)


def _colour(grey: Path, folder: Path, count: int) -> None:
    """The files of CIFAR-10, as many images in each: grey ones with a border, each in a colour of its own."""
    if folder.is_dir():
        return
    images, labels = (_read(grey, name, dimensions) for name, dimensions in zip(FILES[:2], (3, 1), strict=True))
    folder.mkdir()
    generator = np.random.default_rng(0)
    (folder / BINARY_FORM.meta).write_text("\n".join(f"class_{number}" for number in range(len(CLASSES))) + "\n")
    for number, name in enumerate((*BINARY_FORM.train, BINARY_FORM.test)):
        chosen = torch.arange(number * count, (number + 1) * count) % len(images)
        padded = F.pad(images[chosen], (2, 2, 2, 2)).numpy()[:, None]
        tints = generator.integers(100, 256, (count, 3, 1, 1), dtype=np.uint16)
        tinted = (padded * tints // 256).astype(np.uint8)
        records = np.concatenate([labels[chosen].numpy()[:, None], tinted.reshape(count, -1)], axis=1)
        records.astype(np.uint8).tofile(folder / name)


def _read(folder: Path, name: str, dimensions: int) -> Tensor:
    return read_idx(next(path for path in _spellings(folder, name) if path.is_file()), dimensions)


def _spellings(folder: Path, name: str) -> tuple[Path, ...]:
    return folder / f"{name}.gz", folder / name
