"""The drawing tree: the content of a figure, before layout.

A part is entered at one point above it and left at one or more points below it. :class:`Column` puts parts in series,
:class:`Fork` side by side; the others are leaves or enclose one part. Parts are plain values, and the layout depends on
nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "input", "pointwise", "spatial", "factor", "max", "avg", "concat", "add", "norm", "act", "linear", "block"
]

Mark: TypeAlias = Literal["", "same", "changed", "removed", "added"]  # result of a comparison; "": there is none


@dataclass(frozen=True, slots=True)
class Box:
    """A labelled box. ``tip`` shows on hover; ``path`` is its path in the document; ``slim``: it has a low height.

    ``width`` is its minimum width in px.
    """

    lines: tuple[str, ...]
    kind: Kind
    tip: str = ""
    path: str = ""
    slim: bool = False
    mark: Mark = ""
    width: int = 0


@dataclass(frozen=True, slots=True)
class Note:
    """Small text to the right of a wire: an output size, a residual scale; ``path`` is what it belongs to."""

    text: str
    path: str = ""
    mark: Mark = ""


@dataclass(frozen=True, slots=True)
class Column:
    """Parts in series, top to bottom on one vertical axis; an empty column is a bare wire."""

    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        for part in self.parts[:-1]:
            if is_open(part):
                raise ValueError("only the last part of a column may leave its branches open")


@dataclass(frozen=True, slots=True)
class Fork:
    """Branches side by side, in this order, run into ``join``; None: they run into the enclosing join.

    ``numbers`` are the branches' numbers in the document if they are not 0, 1, 2 ... from left to right.
    """

    branches: tuple[Part, ...]
    join: Box | None
    numbers: tuple[str, ...] = ()

    def numbered(self) -> tuple[tuple[str, Part], ...]:
        """Every branch with its number in the document, from 0."""
        numbers = self.numbers or tuple(map(str, range(len(self.branches))))
        return tuple(zip(numbers, self.branches, strict=True))


@dataclass(frozen=True, slots=True)
class Residual:
    """``body`` and its shortcut, a straight line on the left, summed in a circle."""

    body: Part
    path: str = ""
    mark: Mark = ""

    def __post_init__(self) -> None:
        if is_open(self.body):
            raise ValueError("the body of a residual cannot leave its branches open")


@dataclass(frozen=True, slots=True)
class Group:
    """A labelled frame around ``body``: a named block or a repeat, drawn once.

    ``folded`` is the box that a page shows until the group is opened; figures show the frame.
    """

    body: Part
    label: str
    path: str = ""
    mark: Mark = ""
    folded: Box | None = None

    def __post_init__(self) -> None:
        if is_open(self.body):
            raise ValueError("a group cannot leave its branches open")


@dataclass(frozen=True, slots=True)
class Tap:
    """``side`` is beside the column and reads the value at this point: an auxiliary classifier."""

    side: Part

    def __post_init__(self) -> None:
        if is_open(self.side):
            raise ValueError("a tap cannot leave its branches open")


@dataclass(frozen=True, slots=True)
class Mesh:
    """Parts that are not only in series and side by side: part i reads those in ``reads[i]`` (-1: the input).

    The last part is the output. Only boxes may read several parts; ``words`` describe the mesh, one line per value.
    """

    parts: tuple[Part, ...]
    reads: tuple[tuple[int, ...], ...]
    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for index, (part, reads) in enumerate(zip(self.parts, self.reads, strict=True)):
            if is_open(part):
                raise ValueError("a part of a mesh cannot leave its branches open")
            if not reads or not all(-1 <= source < index for source in reads):
                raise ValueError("a part of a mesh reads parts before it")
            if len(reads) > 1 and not isinstance(part, Box):
                raise ValueError("only a box can read more than one part of a mesh")
        if {source for reads in self.reads for source in reads} < set(range(-1, len(self.parts) - 1)):
            raise ValueError("every part of a mesh but the last is read")


Part: TypeAlias = Box | Note | Column | Fork | Residual | Group | Tap | Mesh


def is_open(part: Part) -> bool:
    """Whether ``part`` may end in several open branches."""
    if isinstance(part, Column):
        return bool(part.parts) and is_open(part.parts[-1])
    return isinstance(part, Fork) and part.join is None


def column(*parts: Part) -> Part:
    """Parts in series, simplified: nested columns are spliced, a single part is returned as it is."""
    flat: list[Part] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Column) else (part,))
    return flat[0] if len(flat) == 1 else Column(tuple(flat))


def boxes(part: Part) -> tuple[Box, ...]:
    """Every box of ``part`` in drawing order: top to bottom, branch by branch, joins after their branches."""
    if isinstance(part, Box):
        return (part,)
    if isinstance(part, Column):
        return tuple(box for inner in part.parts for box in boxes(inner))
    if isinstance(part, Fork):
        inside = tuple(box for branch in part.branches for box in boxes(branch))
        return inside if part.join is None else (*inside, part.join)
    if isinstance(part, Mesh):
        return tuple(box for inner in part.parts for box in boxes(inner))
    if isinstance(part, Residual | Group):
        return boxes(part.body)
    return boxes(part.side) if isinstance(part, Tap) else ()
