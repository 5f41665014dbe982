"""The types of values: feature maps and vectors. The batch dimension goes unsaid."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias


class FeatureMap(NamedTuple):
    """(channels, height, width) of a map."""

    channels: int
    height: int
    width: int

    @property
    def numel(self) -> int:
        """Elements per image."""
        return self.channels * self.height * self.width

    def __str__(self) -> str:
        return f"{self.channels}x{self.height}x{self.width}"


class Vector(NamedTuple):
    """A flat vector of features."""

    channels: int

    @property
    def numel(self) -> int:
        """Elements per image."""
        return self.channels

    def __str__(self) -> str:
        return str(self.channels)


Type: TypeAlias = FeatureMap | Vector
