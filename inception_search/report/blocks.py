"""The blocks that sections of a report consist of, as plain text; ``templates/blocks.html`` has the HTML of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias


class _Block:
    @property
    def kind(self) -> str:
        """The name under which the template finds the HTML of the block."""
        return type(self).__name__


@dataclass(frozen=True)
class Prose(_Block):
    """A paragraph; text between backticks is code."""

    words: str


@dataclass(frozen=True)
class Heading(_Block):
    """A heading within a section."""

    words: str


@dataclass(frozen=True)
class Table(_Block):
    """A table; a column whose name ends in ``#`` holds numbers, one whose name ends in ``$`` holds code.

    ``marked`` rows are highlighted; ``dense``: in smaller type, for long tables.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    marked: Sequence[bool] = ()
    dense: bool = False

    @property
    def kinds(self) -> list[str]:
        """``number``, ``code`` or an empty string for each column."""
        return [{"#": "number", "$": "code"}.get(name[-1:], "") for name in self.columns]

    def is_marked(self, row: int) -> bool:
        """Whether the row with this index is highlighted."""
        return row < len(self.marked) and self.marked[row]


@dataclass(frozen=True)
class Picture:
    """A figure of ``width`` px with its name and caption; ``svg`` is empty if it is missing."""

    svg: str
    name: str
    about: str
    width: int
    marked: bool = False


@dataclass(frozen=True)
class Pictures(_Block):
    """Figures side by side at one scale."""

    pictures: Sequence[Picture]
    small: bool = False


@dataclass(frozen=True)
class Image(_Block):
    """A plot with its caption; an embedded image, so that its ids and styles cannot clash."""

    svg: str
    about: str


@dataclass(frozen=True)
class Commands(_Block):
    """Command lines, each with an explanation."""

    lines: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Folded(_Block):
    """A table below a summary that opens and closes it."""

    summary: str
    table: Table
    open: bool = False


Block: TypeAlias = Prose | Heading | Table | Pictures | Image | Commands | Folded
