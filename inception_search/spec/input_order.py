"""Inputs written as height x width x channels, which are read as channels x height x width: a warning."""

from __future__ import annotations

from inception_search.errors import InputOrderWarning, Place
from inception_search.warn import warn

_CHANNELS = (1, 3, 4)  # of pictures: grey, RGB, with transparency
_LEAST = 16  # pixels: pictures are no smaller, maps within a network are


def warn_of_order(channels: int, height: int, width: int, place: Place) -> None:
    """An :class:`InputOrderWarning` where the last number is that of a picture's channels, and the first is not."""
    if width in _CHANNELS and channels not in _CHANNELS and channels >= _LEAST and width != height:
        warn(
            f"{place}: {channels}x{height}x{width} is read as {channels} channels of {height}x{width} pixels "
            f"(channels, height, width); write {width}x{channels}x{height} for {width} of {channels}x{height}",
            InputOrderWarning,
        )
