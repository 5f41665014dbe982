"""What is compared: a step with its fields and what is inside it, as the drawings show it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from inception_search.spec.step import AnyStep

Value: TypeAlias = str | int | float | bool | tuple[int | float | str, ...] | None


class Field(NamedTuple):
    """A field as it is written (None: the network's default) and as it comes out."""

    name: str
    written: Value
    real: Value

    def equals(self, other: Field) -> bool:
        """Whether the two say the same: written alike, or written differently and coming out alike."""
        return self.written == other.written or self.real == other.real


@dataclass(frozen=True, slots=True)
class Element:
    """A step, an auxiliary classifier, or a part of a head.

    ``words`` are the document's; ``path`` is the place in the network's graph. ``inside`` is what is in series in a
    block, a repeat or a branch, or the branches of a concat. ``factors`` are the convolutions a factorised one is
    made of. ``key`` is equal for elements that compute the same in the same words, whatever their places are.
    """

    kind: str
    words: str
    path: str
    key: int
    fields: tuple[Field, ...] = ()
    inside: tuple[Element, ...] = ()
    factors: tuple[Element, ...] = ()
    step: AnyStep | None = None
    stage: str = ""
    name: str = ""
    """The block it was written as."""

    @property
    def times(self) -> int:
        """How often a repeat writes what is inside."""
        times = self.field("times") if self.kind == "repeat" else 1
        return times if isinstance(times, int) else 1

    def field(self, name: str) -> Value:
        """A field as it comes out; None where there is none of that name."""
        return next((field.real for field in self.fields if field.name == name), None)


def moved(element: Element, old: str, new: str) -> Element:
    """``element`` with the beginning ``old`` of every path in it replaced by ``new``."""
    return replace(
        element,
        path=new + element.path.removeprefix(old),
        inside=tuple(moved(part, old, new) for part in element.inside),
        factors=tuple(moved(part, old, new) for part in element.factors),
    )


def copy_of(repeat: Element, number: int) -> tuple[Element, ...]:
    """What a repeat writes the ``number``-th time, counted from 0."""
    old, new = f"{repeat.path}.0", f"{repeat.path}.{number}"
    return repeat.inside if number == 0 else tuple(moved(part, old, new) for part in repeat.inside)


def spelling(element: Element) -> str:
    """All that is compared of ``element`` as text, its stage's name included."""
    parts = ",".join(map(spelling, element.inside))
    return f"{element.stage}:{element.kind}{[tuple(field) for field in element.fields]!r}({parts})"
