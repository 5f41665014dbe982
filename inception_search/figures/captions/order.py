"""The order in which the papers draw the branches of a module, from left to right.

Forks of two branches (those of stems, and the 1x3 and 3x1 that end a branch) keep the document's order, which is the
figures' there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from inception_search.figures.network.tree import Box, Column, Fork, Group, Part, Residual, boxes


def pool_first(branches: Sequence[Part]) -> Sequence[int]:
    """1602.07261, Figs 4 to 8 and 10 to 18: pooling at the left, then the shortest branch, the longest at the right."""
    return _sorted(branches, lambda part: (not _pools(part), _depth(part)))


def longest_first(branches: Sequence[Part]) -> Sequence[int]:
    """1512.00567, Figs 4 to 7 and 10: the longest branch at the left, then shorter ones, pooling, the lone 1x1."""
    return _sorted(branches, lambda part: (_is_lone_1x1(part), _pools(part), -_depth(part)))


def _sorted(branches: Sequence[Part], key: Callable[[Part], tuple[int, ...]]) -> Sequence[int]:
    numbers = range(len(branches))
    return sorted(numbers, key=lambda number: key(branches[number])) if len(branches) > 2 else numbers


def _pools(part: Part) -> bool:
    """Whether a branch begins with a pool."""
    inside = boxes(part)
    return bool(inside) and inside[0].kind in ("max", "avg")


def _is_lone_1x1(part: Part) -> bool:
    return isinstance(part, Box) and part.kind == "pointwise"


def _depth(part: Part) -> int:
    """How many boxes stand above each other at most."""
    if isinstance(part, Column):
        return sum(map(_depth, part.parts))
    if isinstance(part, Fork):
        return max(map(_depth, part.branches)) + (part.join is not None)
    if isinstance(part, Residual | Group):
        return _depth(part.body)
    return len(boxes(part))
