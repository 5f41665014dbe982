"""The kinds of holes in templates, their values in words, and their values at a point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from inception_search.errors import NotInSpaceError

Value: TypeAlias = str | int | float
Params: TypeAlias = dict[str, Value]
SHOWN = 12  # most labels of a choice in its description
_DIGITS = 10  # decimals of the values of a stepped float range


@dataclass(frozen=True)
class Choice:
    """One of several sub-templates, by label; ``weights`` are relative frequencies in the same order."""

    name: str
    options: dict[str, Any] = field(hash=False)
    path: str = field(default="", compare=False)
    weights: tuple[float, ...] | None = field(default=None, compare=False)
    line: int | None = field(default=None, compare=False)

    @cached_property
    def domain(self) -> tuple[str, ...]:
        """The labels."""
        return tuple(self.options)

    def why_not(self, value: Value) -> str | None:
        """What is wrong with ``value``, or None."""
        known = isinstance(value, str) and value in self.options
        return None if known else f"{value!r} is none of {', '.join(self.options)}"


@dataclass(frozen=True)
class Integer:
    """An integer from ``low`` to ``high`` in steps, both ends included."""

    name: str
    low: int
    high: int
    step: int = 1
    log: bool = False
    path: str = field(default="", compare=False)
    line: int | None = field(default=None, compare=False)

    @cached_property
    def domain(self) -> range:
        """Every value."""
        return range(self.low, self.high + 1, self.step)

    def why_not(self, value: Value) -> str | None:
        """What is wrong with ``value``, or None."""
        inside = isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high
        if inside and (int(value) - self.low) % self.step == 0:
            return None
        step = f" step {self.step}" if self.step != 1 else ""
        return f"{value!r} is outside {self.low}..{self.high}{step}"


@dataclass(frozen=True)
class Many(Integer):
    """A number of ``items``, of which that many first ones are used: steps of a chain, branches or stages."""

    items: tuple[Any, ...] = field(default=(), hash=False, compare=False)


@dataclass(frozen=True)
class Float:
    """A number from ``low`` to ``high``; with a ``step``, one of low, low + step, ..., high."""

    name: str
    low: float
    high: float
    log: bool = False
    path: str = field(default="", compare=False)
    step: float | None = None
    line: int | None = field(default=None, compare=False)

    @cached_property
    def domain(self) -> tuple[float, ...] | None:
        """Every value; None without a step."""
        if self.step is None:
            return None
        return tuple(round(self.low + i * self.step, _DIGITS) for i in range(self.members))

    @property
    def members(self) -> int:
        """The number of values of a stepped range."""
        return round((self.high - self.low) / (self.step or 1.0)) + 1

    def why_not(self, value: Value) -> str | None:
        """What is wrong with ``value``, or None."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and self.low <= value <= self.high and (self.domain is None or value in self.domain):  # type: ignore[operator]
            return None
        step = f" step {self.step}" if self.step is not None else ""
        return f"{value!r} is outside {self.low}..{self.high}{step}"


@dataclass(frozen=True)
class Of:
    """``times * name // over``, at least 1: a number that follows the integer ``hole``, or the input channels."""

    name: str  # as written; "in" for the input channels
    times: int = 1
    over: int = 1
    hole: Integer | None = None  # the integer that it follows; None: the input channels

    def value(self, number: int) -> int:
        """The value for one value of the followed number."""
        return max(1, self.times * number // self.over)

    def __str__(self) -> str:
        times = f"{self.times}*" if self.times != 1 else ""
        return f"{times}{self.name}" + (f"/{self.over}" if self.over != 1 else "")


Hole: TypeAlias = Choice | Integer | Float
Ask: TypeAlias = Callable[[Hole], Value]


def items(node: Any) -> tuple[Any, ...]:
    """The template nodes directly inside a plain node (no hole)."""
    if isinstance(node, dict):
        return tuple(node.values())
    return tuple(node) if isinstance(node, list) else ()


def varying_parts(template: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the blocks and stages of a template with decisions of their own, blocks first.

    A part that only has decisions of an earlier part (``$name``) is omitted.

    >>> width = Integer("w", 1, 2)
    >>> varying_parts({"blocks": {"m": {"width": width}}, "stages": {"a": {"width": width}, "b": {"width": 4}}})
    ('m',)
    """
    seen: set[str] = set()
    found: list[str] = []
    for section in ("blocks", "stages"):
        for name, node in (template.get(section) or {}).items():
            for part, names in _parts(name, node):
                found += [part] if names - seen and part not in found else []
                seen |= names
    return tuple(found)


def _parts(name: str, node: Any) -> Iterator[tuple[str, set[str]]]:
    """The entries of a section that ``name`` may become, each with the names of the holes that it depends on."""
    if isinstance(node, Many):
        for index, item in enumerate(node.items, start=1):
            yield f"{name}{index}", {hole.name for hole in _holes_in(item)}
    elif isinstance(node, Choice):
        for option in node.options.values():
            for part, names in _parts(name, option):
                yield part, {node.name, *names}
    else:
        yield name, {hole.name for hole in _holes_in(node)}


def _holes_in(node: Any) -> Iterator[Hole]:
    """The holes in a part of a template, including those inside options."""
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, Choice | Integer | Float | Many):
            yield part
        stack.extend(part.options.values() if isinstance(part, Choice) else items(part))
        stack.extend(part.items if isinstance(part, Many) else ())


class Bindings(dict[str, Any]):
    """The value of every reached hole by name: the ``known`` value, else the result of ``ask``.

    ``followed`` are the numbers that followed input channels.
    """

    def __init__(self, holes: Mapping[str, Hole], ask: Ask, known: Params | None = None) -> None:
        super().__init__(known or {})
        self.holes = holes
        self.ask = ask
        self.followed: list[int] = []

    def __missing__(self, name: str) -> Any:
        hole = self.holes[name]
        value = self.ask(hole)
        if problem := hole.why_not(value):
            raise NotInSpaceError(problem, path=name)
        self[name] = value
        return value

    def follow(self, follower: Of, channels: int) -> int:
        """The number of a follower for ``channels`` input channels."""
        if follower.hole is not None:
            return follower.value(self[follower.hole.name])
        self.followed.append(follower.value(channels))
        return self.followed[-1]


def hole_words(hole: Hole) -> str:
    """``3x3, 5x5 or none``; ``4 to 48 in steps of 4``; ``1 to 3 of 3 parts``."""
    if isinstance(hole, Choice):
        return _labels(list(hole.options))
    if isinstance(hole, Float):
        steps = f" in steps of {hole.step:g}" if hole.step is not None else ""
        return f"{hole.low:g} to {hole.high:g}{steps}{_log(hole.log)}"
    if isinstance(hole, Many):
        return f"the first {hole.low} to {hole.high} of {len(hole.items)} parts"
    steps = f" in steps of {hole.step}" if hole.step != 1 else ""
    return f"{hole.low} to {hole.high}{steps}{_log(hole.log)}"


def _labels(labels: list[str]) -> str:
    if len(labels) > SHOWN:
        return f"{', '.join(labels[:SHOWN])} or {len(labels) - SHOWN} more"
    return " or ".join(filter(None, (", ".join(labels[:-1]), labels[-1])))


def _log(log: bool) -> str:
    return ", evenly by logarithm" if log else ""
