"""Random shifts, flips and cutouts of an entire batch, on the device of the batch.

Batches here are (B, H, W, C), the layout of images in the loader, so that every batch is channels_last without a copy.
All randomness comes from the generator argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor

Padding = Literal["zero", "reflect"]


@dataclass(frozen=True)
class Augmentation:
    """The permitted augmentation of a training image: ``shift`` is the largest shift as a fraction of the side.

    ``flip`` permits left-right mirroring. ``padding`` fills pixels uncovered by a shift. ``cutout`` is the side of the
    erased square (DeVries and Taylor 2017) as a fraction of the image's sides.
    """

    shift: float = 0.0
    flip: bool = False
    padding: Padding = "zero"
    cutout: float = 0.0


NONE = Augmentation()


def augment(images: Tensor, what: Augmentation, generator: Generator) -> Tensor:
    """A copy of ``images`` (B, H, W, C) in which each image is shifted, mirrored and erased at random.

    Erased pixels become 0, like pixels uncovered by a shift with zero padding.
    """
    batch, height, width, _ = images.shape
    if what.shift:
        down = random_offsets(batch, round(what.shift * height), generator)
        right = random_offsets(batch, round(what.shift * width), generator)
        images = shift(images, down, right, what.padding)
    if what.flip:
        coin = torch.rand(batch, generator=generator, device=generator.device) < 0.5
        images = flip(images, coin)
    side = round(what.cutout * height), round(what.cutout * width)
    if all(side):
        images = cutout(images, random_below(batch, height, generator), random_below(batch, width, generator), side)
    return images


def random_offsets(count: int, largest: int, generator: Generator) -> Tensor:
    """``count`` uniform random integers from -largest..largest, int64 (count,)."""
    return torch.randint(-largest, largest + 1, (count,), generator=generator, device=generator.device)


def random_below(count: int, end: int, generator: Generator) -> Tensor:
    """``count`` uniform random integers from 0..end-1, int64 (count,)."""
    return torch.randint(end, (count,), generator=generator, device=generator.device)


def shift(images: Tensor, down: Tensor, right: Tensor, padding: Padding) -> Tensor:
    """``images`` (B, H, W, C) shifted by ``down`` and ``right`` pixels, int64 (B,), and filled by ``padding``."""
    batch, height, width, _ = images.shape
    rows = torch.arange(height, device=images.device) - down[:, None]
    columns = torch.arange(width, device=images.device) - right[:, None]
    which = torch.arange(batch, device=images.device)[:, None, None]
    if padding == "reflect":
        return images[which, _reflect(rows, height)[:, :, None], _reflect(columns, width)[:, None, :]]
    moved = images[which, rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None, :]]
    seen = _inside(rows, height)[:, :, None] & _inside(columns, width)[:, None, :]
    return moved * seen[..., None]


def flip(images: Tensor, which: Tensor) -> Tensor:
    """``images`` (B, H, W, C) with those where ``which`` (bool (B,)) is true mirrored left to right."""
    return torch.where(which[:, None, None, None], images.flip(2), images)


def cutout(images: Tensor, row: Tensor, column: Tensor, side: tuple[int, int]) -> Tensor:
    """``images`` (B, H, W, C) with a rectangle of ``side`` (height, width) around (row, column), int64 (B,), set to 0.

    The centre is a pixel of the image; the rectangle may extend beyond the border.
    """
    _, height, width, _ = images.shape
    rows = _within(torch.arange(height, device=images.device), row, side[0])
    columns = _within(torch.arange(width, device=images.device), column, side[1])
    kept = ~(rows[:, :, None] & columns[:, None, :])
    return images * kept[..., None]


def _within(positions: Tensor, centre: Tensor, side: int) -> Tensor:
    """Whether each of ``positions`` (L,) is within ``side`` pixels around each of ``centre`` (B,): bool (B, L)."""
    first = centre[:, None] - side // 2
    return (positions >= first) & (positions < first + side)


def _reflect(index: Tensor, size: int) -> Tensor:
    """Positions outside 0..size-1 reflected at the border pixel (offsets below ``size``)."""
    last = size - 1
    return last - (last - index.abs()).abs()


def _inside(index: Tensor, size: int) -> Tensor:
    return (index >= 0) & (index < size)
