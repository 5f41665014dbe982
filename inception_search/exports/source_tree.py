"""The modules of a network as calls and classes, before they are printed as source.

A number of channels is a :class:`Num`: a sum of :class:`Leaf` values. Two modules that differ in the values of leaves
only become one class, with an argument for each value that differs.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from inception_search.graph.ops import BatchNorm


@dataclass(eq=False)
class Leaf:
    """One number of channels of a document, with a name for it as an argument; ``always``: it always is one."""

    value: int
    role: str
    always: bool = False


@dataclass(frozen=True)
class Num:
    """A number of channels: the sum of leaves, each times a factor."""

    terms: tuple[tuple[Leaf, int], ...]

    @property
    def value(self) -> int:
        """The number itself."""
        return sum(leaf.value * factor for leaf, factor in self.terms)

    def __add__(self, other: Num) -> Num:
        return Num((*self.terms, *other.terms))

    def times(self, factor: int) -> Num:
        """The product with a constant."""
        return Num(tuple((leaf, f * factor) for leaf, f in self.terms))

    def bound(self, inner: Leaf, outer: Num) -> Num:
        """The same number with ``outer`` in place of ``inner``."""
        terms: list[tuple[Leaf, int]] = []
        for leaf, factor in self.terms:
            terms += outer.times(factor).terms if leaf is inner else ((leaf, factor),)
        return Num(tuple(terms))


def number(value: int, role: str = "width") -> Num:
    """The number ``value``, which no other number of the network depends on."""
    return Num(((Leaf(value, role), 1),))


@dataclass(frozen=True)
class Unit:
    """A class for a convolution or linear layer with what follows it; its parts are ``conv``/``linear``, norm, act."""

    layer: str  # conv or linear
    norm: BatchNorm | None
    act: str | None
    bias: bool
    same: bool = False  # TensorFlow's SAME padding, which depends on the size of the feature map


@dataclass(frozen=True)
class Call:
    """A call of a class of torch (``"nn.MaxPool2d"``), of a helper, or of a unit."""

    func: str | Unit
    args: tuple[Any, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Items:
    """A list of modules."""

    items: tuple[Module, ...]


@dataclass(frozen=True)
class Copies:
    """The copies of a repeat, which become the arguments of a call."""

    items: tuple[Module, ...]


@dataclass(eq=False)
class Scope:
    """A module that becomes a class of its own.

    ``hint`` is a name for the class, ``stage`` the stage that it is in. ``inner`` stands for the channels of the input
    inside the class, ``outer`` is their number where the class is used. ``generic``: every number is an argument.
    ``optional``: if the class would be used once, its call is printed in place (only with base nn.Sequential).
    """

    hint: str
    stage: str
    outer: Num
    inner: Leaf
    parts: tuple[tuple[str, Module], ...]  # of a Sequential: without names
    forward: tuple[str, ...]
    doc: str
    base: str = "nn.Module"
    generic: bool = False
    optional: bool = False


Module: TypeAlias = Call | Scope


@dataclass(frozen=True)
class Shape:
    """The structure of a scope without its numbers, and its numbers in order of appearance."""

    structure: Hashable
    leaves: tuple[Leaf, ...]


def shape_of(scope: Scope) -> Shape:
    """The structure of ``scope``, equal for scopes that can be one class."""
    order: dict[Leaf, int] = {scope.inner: 0}
    structure = _structure(scope, order)
    return Shape(structure, tuple(order))


def _structure(value: Any, order: dict[Leaf, int]) -> Hashable:
    if isinstance(value, Num):
        return ("num", *((order.setdefault(leaf, len(order)), factor) for leaf, factor in value.terms))
    if isinstance(value, Call):
        options = tuple((name, _structure(option, order)) for name, option in value.options)
        return ("call", value.func, _structure(value.args, order), options)
    if isinstance(value, Items | Copies):
        return (type(value).__name__, _structure(value.items, order))
    if isinstance(value, Scope):
        inner = order.setdefault(value.inner, len(order))
        outer = None if inner == 0 else _structure(value.outer, order)
        parts = tuple((name, _structure(part, order)) for name, part in value.parts)
        return ("scope", value.base, value.generic, inner, outer, parts, value.forward)
    if isinstance(value, tuple):
        return tuple(_structure(part, order) for part in value)
    return (type(value).__name__, value)


def children(value: Any) -> Iterator[Any]:
    """The modules and numbers directly inside a call, a list or a scope."""
    if isinstance(value, Call):
        yield from value.args
        yield from (option for _, option in value.options)
    elif isinstance(value, Items | Copies):
        yield from value.items
    elif isinstance(value, Scope):
        yield from (part for _, part in value.parts)


def scopes_in(value: Any) -> Iterator[Scope]:
    """All scopes in ``value``, inner ones first, ``value`` itself last."""
    for child in children(value):
        yield from scopes_in(child)
    if isinstance(value, Scope):
        yield value


def calls_in(value: Any) -> Iterator[Call]:
    """All calls in ``value``."""
    if isinstance(value, Call):
        yield value
    for child in children(value):
        yield from calls_in(child)


def numbers_in(scope: Scope) -> Iterator[Num]:
    """All numbers in the text of ``scope``."""
    for child in children(scope):
        yield from _numbers(child)


def _numbers(value: Any) -> Iterator[Num]:
    if isinstance(value, Num):
        yield value
    elif isinstance(value, Scope):
        yield value.outer
    for child in children(value):
        yield from _numbers(child)
