"""Check whether a space is flat: every point has a value for every hole. Some strategies require this."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from inception_search.errors import ConfigError
from inception_search.space.holes import Choice, Float, Integer, Many, Of, items
from inception_search.space.space import Space


def why_not_flat(space: Space) -> str | None:
    """The first conditional hole with its condition, in words; None if every point has every hole.

    A hole that all options of a choice contain is not conditional. Choices with the same name are examined one by one,
    so a hole that is certain only through several of them together counts as conditional.
    """
    sure = _sure(space.template.root)
    for hole, where in _conditions(space.template.root, ""):
        if hole not in sure:
            return f"hole {hole!r} is there only where {where}"
    return None


def check_flat(strategy: str, space: Space) -> None:
    """Raise :class:`~inception_search.errors.ConfigError` if ``space`` has a conditional hole."""
    reason = why_not_flat(space)
    if reason is not None:
        hint = "search it with tpe, evolution, nsga2, local or predictor"
        raise ConfigError(f"{strategy} cannot search space {space.name!r}: {reason}", path="strategy", hint=hint)


def _sure(node: Any) -> frozenset[str]:
    """The names of the holes that every point with ``node`` has."""
    if isinstance(node, Choice):
        options = [_sure(option) for option in node.options.values()]
        return frozenset.intersection(*options) | {node.name}
    if isinstance(node, Many):
        return _all_sure(node.items[: node.low]) | {node.name}
    if isinstance(node, Integer | Float):
        return frozenset({node.name})
    if isinstance(node, Of):
        return frozenset() if node.hole is None else frozenset({node.hole.name})
    return _all_sure(items(node))


def _all_sure(nodes: tuple[Any, ...]) -> frozenset[str]:
    return frozenset[str]().union(*map(_sure, nodes))


def _conditions(node: Any, where: str) -> Iterator[tuple[str, str]]:
    """Every hole inside ``node`` with its condition on the enclosing hole, in words."""
    if isinstance(node, Choice):
        yield node.name, where
        for label, option in node.options.items():
            yield from _conditions(option, f"{node.name!r} is {label!r}")
    elif isinstance(node, Many):
        yield node.name, where
        for index, item in enumerate(node.items):
            yield from _conditions(item, where if index < node.low else f"{node.name!r} is at least {index + 1}")
    elif isinstance(node, Integer | Float):
        yield node.name, where
    elif isinstance(node, Of) and node.hole is not None:
        yield node.hole.name, where
    else:
        for item in items(node):
            yield from _conditions(item, where)
