"""What a section of a report is made of, as plain texts: ``templates/blocks.html`` has the HTML of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias


class _Block:
    @property
    def kind(self) -> str:
        """The name by which the template finds its HTML."""
        return type(self).__name__


@dataclass(frozen=True)
class Prose(_Block):
    """A paragraph; what stands between backticks is code."""

    words: str


@dataclass(frozen=True)
class Heading(_Block):
    """A heading within a section."""

    words: str


@dataclass(frozen=True)
class Table(_Block):
    """A column whose name ends in ``#`` holds numbers, one in ``$`` code.

    ``marked`` rows stand out; ``dense``: in smaller type, for long tables.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    marked: Sequence[bool] = ()
    dense: bool = False

    @property
    def kinds(self) -> list[str]:
        """``number``, ``code`` or nothing for each column."""
        return [{"#": "number", "$": "code"}.get(name[-1:], "") for name in self.columns]

    def is_marked(self, row: int) -> bool:
        """Whether the row of this index stands out."""
        return row < len(self.marked) and self.marked[row]


@dataclass(frozen=True)
class Picture:
    """A drawing of ``width`` px under its name and what is said of it; one that is missing has no SVG."""

    svg: str
    name: str
    about: str
    width: int
    marked: bool = False


@dataclass(frozen=True)
class Pictures(_Block):
    """Drawings side by side at one scale."""

    pictures: Sequence[Picture]
    small: bool = False


@dataclass(frozen=True)
class Image(_Block):
    """A plot under what it shows; as an embedded image, its ids and styles are its own."""

    svg: str
    about: str


@dataclass(frozen=True)
class Commands(_Block):
    """Command lines, each with what it does."""

    lines: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Folded(_Block):
    """A table under a summary that opens and shuts it."""

    summary: str
    table: Table
    open: bool = False


Block: TypeAlias = Prose | Heading | Table | Pictures | Image | Commands | Folded
