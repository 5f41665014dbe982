"""Random shifts, flips and cutouts of a whole batch at once, on the device the batch lies on.

Batches here are (B, H, W, C): that is how the loader keeps images in memory, so that every batch is
channels_last without a copy. Randomness comes from the generator passed in and from nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor

Padding = Literal["zero", "reflect"]


@dataclass(frozen=True)
class Augmentation:
    """What may be done to a training image: ``shift`` is the largest shift as a fraction of the side.

    ``flip`` allows left-right mirroring; ``padding`` fills what a shift uncovers; ``cutout`` is the side of the
    square that is erased (DeVries and Taylor 2017) as a fraction of the image's sides.
    """

    shift: float = 0.0
    flip: bool = False
    padding: Padding = "zero"
    cutout: float = 0.0


NONE = Augmentation()


def augment(images: Tensor, what: Augmentation, generator: Generator) -> Tensor:
    """A randomly shifted, mirrored and erased copy of ``images`` (B, H, W, C), each image on its own.

    What is erased becomes 0, as what a shift with zero padding uncovers.
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
    """``count`` whole offsets drawn evenly from -largest..largest, int64 (count,)."""
    return torch.randint(-largest, largest + 1, (count,), generator=generator, device=generator.device)


def random_below(count: int, end: int, generator: Generator) -> Tensor:
    """``count`` whole numbers drawn evenly from 0..end-1, int64 (count,)."""
    return torch.randint(end, (count,), generator=generator, device=generator.device)


def shift(images: Tensor, down: Tensor, right: Tensor, padding: Padding) -> Tensor:
    """``images`` (B, H, W, C) moved by ``down`` and ``right`` pixels, int64 (B,); the rest by ``padding``."""
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
    """``images`` (B, H, W, C) with a rectangle of ``side`` (height, width) around (row, column), int64 (B,), at 0.

    The centre is a pixel of the image, the rectangle may reach beyond the border.
    """
    _, height, width, _ = images.shape
    rows = _within(torch.arange(height, device=images.device), row, side[0])
    columns = _within(torch.arange(width, device=images.device), column, side[1])
    kept = ~(rows[:, :, None] & columns[:, None, :])
    return images * kept[..., None]


def _within(positions: Tensor, centre: Tensor, side: int) -> Tensor:
    """Which of ``positions`` (L,) are among the ``side`` around each of ``centre`` (B,): bool (B, L)."""
    first = centre[:, None] - side // 2
    return (positions >= first) & (positions < first + side)


def _reflect(index: Tensor, size: int) -> Tensor:
    """Positions outside 0..size-1 mirrored back in at the border pixel (offsets below ``size``)."""
    last = size - 1
    return last - (last - index.abs()).abs()


def _inside(index: Tensor, size: int) -> Tensor:
    return (index >= 0) & (index < size)
