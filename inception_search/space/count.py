"""How many points a template has."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from inception_search.space.holes import Choice, Float, Integer

Bound = dict[str, str]  # the label (empty for a number) of every name that is already counted


def count(template: Any) -> int | float:
    """The number of points of ``template``: ways to answer every hole that is reached (``inf`` with a float).

    Parts without a common name multiply; where parts share names, the first one's answers are gone through.
    """
    return _product([template], {})


def _product(nodes: list[Any], bound: Bound) -> int | float:
    """Points of ``nodes`` together, which may share names."""
    groups = _groups([part for node in nodes for part in _open(node, bound)], bound)
    return math.prod(_together(group, bound) for group in groups)


def _together(nodes: list[Any], bound: Bound) -> int | float:
    """Points of holes that are linked by names."""
    first, rest = nodes[0], nodes[1:]
    if isinstance(first, Choice):
        return sum(_product([option, *rest], bound | {first.name: label}) for label, option in first.options.items())
    members = math.inf if isinstance(first, Float) else len(first.domain)
    return members * _product(rest, bound | {first.name: ""})


def _open(node: Any, bound: Bound) -> Iterator[Any]:
    """The unanswered holes that ``node`` is sure to reach."""
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, Choice | Integer | Float):
            if part.name not in bound:
                yield part
            elif isinstance(part, Choice):
                stack.append(part.options[bound[part.name]])
        else:
            stack.extend(_items(part))


def _groups(holes: list[Any], bound: Bound) -> list[list[Any]]:
    """``holes`` parted so that no two groups have an unanswered name in common."""
    groups: list[tuple[set[str], list[Any]]] = []
    for hole in holes:
        names, members = _names(hole) - bound.keys(), [hole]
        apart = []
        for group in groups:
            if names.isdisjoint(group[0]):
                apart.append(group)
            else:
                names, members = names | group[0], group[1] + members
        groups = [*apart, (names, members)]
    return [members for _, members in groups]


def _names(node: Any) -> set[str]:
    """The names of all holes in ``node``."""
    if isinstance(node, Choice):
        return {node.name}.union(*map(_names, node.options.values()))
    if isinstance(node, Integer | Float):
        return {node.name}
    return set().union(*map(_names, _items(node)))


def _items(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        yield from node.values()
    elif isinstance(node, list):
        yield from node
