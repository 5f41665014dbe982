"""Conversion of pixels with more than 8 bits (16-bit and 32-bit integers, floats), by one scale for a dataset.

With a separate scale for each image, a dark image and a bright one would become equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inception_search.errors import DataError, raw

DEEP = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})  # Pillow's modes; all of them are greyscale
_LARGEST = 1e30  # larger floats mean "no data" in satellite images


@dataclass(frozen=True)
class Extent:
    """The lowest and the highest value of images with integer or with float pixels."""

    low: float
    high: float
    floats: bool


@dataclass(frozen=True)
class DeepScale:
    """The scales of integer and float pixels to bytes; None if no image has such pixels."""

    integers: Extent | None = None
    floats: Extent | None = None

    @property
    def bits(self) -> int | None:
        """The bits of the largest integer, at least 8; None if integers are not read as unsigned numbers."""
        if self.integers is None or self.integers.low < 0:
            return None
        return max(8, int(self.integers.high).bit_length())

    @property
    def sentences(self) -> tuple[str, ...]:
        """A description of the scales."""
        return tuple(self._sentences())

    def _sentences(self) -> Iterator[str]:
        if self.integers is not None:
            if self.bits is None:
                yield f"integer pixels: {_stretched(self.integers)}"
            elif self.bits > 8:
                yield f"integer pixels: {self.bits} bits, of which the upper 8 are kept"
        if self.floats is not None:
            yield f"float pixels: {_stretched(self.floats)}"

    def to_bytes(self, values: NDArray[np.generic], transparent: object = None) -> NDArray[np.uint8]:
        """``values`` (H, W) as bytes; values equal to ``transparent``, if it is a number, become white."""
        if (bits := self.bits) is not None and np.issubdtype(values.dtype, np.integer):
            found = (values.astype(np.int64) >> (bits - 8)).clip(0, 255).astype(np.uint8)
        else:
            extent = self.floats if np.issubdtype(values.dtype, np.floating) else self.integers
            if extent is None:
                rule = "the image has more than 8 bits per pixel, but the file ending is that of an 8-bit format"
                raise DataError(rule, hint="rename it to the ending of its format, .tif or .png")
            span = (extent.high - extent.low) or 1.0
            share = (values.astype(np.float64) - extent.low) / span
            found = (share * 255 + 0.5).clip(0, 255).astype(np.uint8)
        if isinstance(transparent, int):
            found[values == transparent] = 255
        return found


def extent_of(values: NDArray[np.generic]) -> Extent:
    """The extent of one image; raises DataError for NaN, infinity or markers of missing data."""
    floats = bool(np.issubdtype(values.dtype, np.floating))
    low, high = float(values.min()), float(values.max())
    if not (low > -_LARGEST and high < _LARGEST):  # written so that NaN fails as well
        raise DataError(
            "the image has values that cannot be converted",
            found=raw(f"values from {low:g} to {high:g}"),
            expected="finite numbers",
            hint="replace NaN, infinity and markers of missing data, or remove the file",
        )
    return Extent(low, high, floats)


def make_scale(extents: Iterable[Extent]) -> DeepScale:
    """The scale for all images with these ``extents``.

    For unsigned integers the upper 8 bits of the bits of the largest value are kept. Floats within 0..1 are multiplied
    by 255. All other ranges are stretched: the lowest value becomes 0, the highest 255.
    """
    found: dict[bool, Extent] = {}
    for each in extents:
        known = found.get(each.floats, each)
        found[each.floats] = Extent(min(known.low, each.low), max(known.high, each.high), each.floats)
    floats = found.get(True)
    if floats is not None and floats.low >= 0 and floats.high <= 1:
        floats = Extent(0.0, 1.0, True)
    return DeepScale(found.get(False), floats)


def _stretched(extent: Extent) -> str:
    return f"{extent.low:g} becomes 0, {extent.high:g} becomes 255"
