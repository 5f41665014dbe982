"""Elements of a comparison: a step with its fields and contents, as the figures show it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from inception_search.spec.step import AnyStep

Value: TypeAlias = str | int | float | bool | tuple[int | float | str, ...] | None


class Field(NamedTuple):
    """A field as written (None: the network's default) and with its effective value."""

    name: str
    written: Value
    real: Value

    def equals(self, other: Field) -> bool:
        """Whether both mean the same: equal as written or equal in effect."""
        return self.written == other.written or self.real == other.real


@dataclass(frozen=True, slots=True)
class Element:
    """A step, an auxiliary classifier, or a part of a head.

    ``words`` are those of the document; ``path`` is the path in the network's graph. ``inside`` holds the series in a
    block, a repeat or a branch, or the branches of a concat. ``factors`` are the convolutions that a factorised one
    consists of. ``key`` is equal for elements that compute the same with the same words, wherever they are.
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
    """The name of the block that the step came from."""

    @property
    def times(self) -> int:
        """The number of repetitions of a repeat, else 1."""
        times = self.field("times") if self.kind == "repeat" else 1
        return times if isinstance(times, int) else 1

    def field(self, name: str) -> Value:
        """The effective value of a field; None if there is no field of this name."""
        return next((field.real for field in self.fields if field.name == name), None)


def moved(element: Element, old: str, new: str) -> Element:
    """``element`` with the prefix ``old`` of every path in it replaced by ``new``."""
    return replace(
        element,
        path=new + element.path.removeprefix(old),
        inside=tuple(moved(part, old, new) for part in element.inside),
        factors=tuple(moved(part, old, new) for part in element.factors),
    )


def copy_of(repeat: Element, number: int) -> tuple[Element, ...]:
    """The contents of the ``number``-th repetition, counted from 0."""
    old, new = f"{repeat.path}.0", f"{repeat.path}.{number}"
    return repeat.inside if number == 0 else tuple(moved(part, old, new) for part in repeat.inside)


def spelling(element: Element) -> str:
    """Everything that is compared of ``element`` as text, including the name of its stage."""
    parts = ",".join(map(spelling, element.inside))
    return f"{element.stage}:{element.kind}{[tuple(field) for field in element.fields]!r}({parts})"
