"""Paths inside documents: the lines a network was read from, and the place of a broken rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Source:
    """The file a network was read from, and the line of every path in the document."""

    file: str | None = None
    lines: Mapping[KeyPath, int] = field(default_factory=dict)

    def line(self, place: KeyPath) -> int | None:
        """The line of ``place`` or of the nearest place around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place)

    def without(self, *place: str | int) -> Source:
        """A copy without the lines at and inside ``place``, for a part that was replaced after reading."""
        kept = {at: line for at, line in self.lines.items() if at[: len(place)] != place}
        return Source(self.file, kept)


class RuleError(ValueError):
    """A broken rule and the place in the network that breaks it."""

    def __init__(self, rule: str, *place: str | int) -> None:
        super().__init__(rule)
        self.place = place
