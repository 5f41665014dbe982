"""Check whether weights compute the same function in our network as in the implementation they come from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, NamedTuple

from inception_search.canonical.catalogue import list_dialects, load, names
from inception_search.errors import InceptionSearchError, SpecError
from inception_search.graph.graph import Graph
from inception_search.graph.ops import Pool
from inception_search.lowering import lower
from inception_search.spec.network import Network
from inception_search.spec.stem import set_stem_stride, stem_stride
from inception_search.spec.transform import remake, set_classes, set_input

# Attributes that change training, or what is stored, but not the function at inference.
_TRAINING = {"batch_norm": ("momentum", "gamma")}


class Difference(NamedTuple):
    """The first operation in which an implementation's ``dialect`` (``name@dialect``) differs from our network."""

    dialect: str
    what: str


class Sides(NamedTuple):
    """How a message refers to the location of each of two values."""

    ours: str = "here"
    theirs: str = "there"


def what_differs(network: Network, base: str, implementations: Iterable[str]) -> Difference | None:
    """The first difference between ``network`` and ``base`` in ``implementations``, with equal weights.

    Returns None if ``network`` computes the same as at least one implementation: the weights may be from any of them.
    Changes made by arguments of ``compile`` (classes, input size, stem stride) do not count as differences.
    """
    first: Difference | None = None
    for dialect in implementations:
        if base not in names() or dialect not in list_dialects(base):
            continue
        there = f"{base}@{dialect}"
        here = "here" if network.name == there else f"in {network.name}"
        what = what_differs_from(network, load(there), Sides(here, f"in {there}"))
        if what is None:
            return None
        first = first or Difference(there, what)
    return first


def what_differs_from(network: Network, other: Network, sides: Sides = Sides()) -> str | None:  # noqa: B008
    """A description of the first difference between ``network`` and ``other`` with equal weights, or None.

    The description has both values, labelled by ``sides``. The networks are compared at the input size of ``network``,
    or at that of ``other`` if ``other`` cannot be built at the first.
    """
    ours, theirs = _function(network), _function(_resized(other, network))
    if theirs is None:
        network = set_input(network, height=other.input.height, width=other.input.width)
        ours, theirs = _function(network), _function(_resized(other, network))
    return _difference(ours, theirs, sides)


def _resized(network: Network, like: Network) -> Network:
    """``network`` with the input, stem stride, classes and head of ``like``, without auxiliary classifiers."""
    channels, height, width = like.input.shape
    sized = set_input(set_classes(network, like.head.classes), channels=channels, height=height, width=width)
    sized, stride = remake(sized, head=like.head, aux={}), stem_stride(like)
    if stem_stride(sized) == stride:
        return sized
    try:
        return set_stem_stride(sized, stride)
    except SpecError:  # the stride is impossible here; the comparison then reports the difference
        return sized


def _function(network: Network) -> list[tuple[str, tuple[Any, ...]]] | None:
    """Path and attributes of every op of the trunk; None if the network cannot be built at its input size."""
    try:
        graph = lower(remake(network, aux={}))
    except InceptionSearchError:
        return None
    return [(graph.nodes[i].path, _attributes(graph, i)) for i in sorted(graph.main()) if _matters(graph, i)]


def _matters(graph: Graph, index: int) -> bool:
    node = graph.nodes[index]
    return node.op.name != "dropout" and not node.path.startswith("head.")


def _attributes(graph: Graph, index: int) -> tuple[Any, ...]:
    op = graph.nodes[index].op
    skipped: tuple[str, ...] = _TRAINING.get(op.name, ())
    if isinstance(op, Pool) and (op.mode != "avg" or op.padding == (0, 0)):
        skipped = ("count_pad",)  # without padding the attribute has no effect
    return (op.name, *((f.name, getattr(op, f.name)) for f in fields(op) if f.name not in skipped))  # type: ignore[arg-type]


def _difference(ours: Any, theirs: Any, sides: Sides) -> str | None:
    """A description of the first op in which two lists of :func:`_function` differ."""
    if ours is None or theirs is None or ours == theirs:
        return None
    for (path, mine), (other, yours) in zip(ours, theirs, strict=False):
        if (path, mine) != (other, yours):
            if (path, mine[0]) != (other, yours[0]):
                return f"{path} is {mine[0]} {sides.ours}, and {other} is {yours[0]} in its place {sides.theirs}"
            pairs = [(a[0], a[1], b[1]) for a, b in zip(mine[1:], yours[1:], strict=True) if a != b]
            words = [f"{name} {a} {sides.ours} and {b} {sides.theirs}" for name, a, b in pairs]
            return f"{path} has {', '.join(words)}"
    return "the numbers of ops differ"
