"""Dominance: ranks, crowding distance, fronts and hypervolume of points; every number is minimised."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from operator import le
from typing import TypeAlias

Losses: TypeAlias = Sequence[float]


def ranks(losses: Sequence[Losses]) -> list[int]:
    """The front of each point: 0 is dominated by none, 1 only by points of front 0, and so on.

    Efficient non-dominated sort (Zhang et al., IEEE TEC 2015): in lexicographic order no point dominates an earlier
    one. Bisection therefore finds the first front that does not dominate a point.
    """
    rank: dict[tuple[float, ...], int] = {}
    fronts: list[list[tuple[float, ...]]] = []
    for point in sorted({tuple(point) for point in losses}):
        rank[point] = bisect_left(fronts, True, key=lambda members: not _beaten(point, members))
        if rank[point] == len(fronts):
            fronts.append([])
        fronts[rank[point]].append(point)
    return [rank[tuple(point)] for point in losses]


def _beaten(point: tuple[float, ...], members: list[tuple[float, ...]]) -> bool:
    """Whether a member of a front dominates ``point``; all members precede it lexicographically and differ from it."""
    if len(point) <= 2:  # the last member of a front has the smallest last number
        return members[-1][-1] <= point[-1]
    return any(all(map(le, member, point)) for member in reversed(members))


def front(losses: Sequence[Losses]) -> list[int]:
    """The indices of the points that no other point dominates, in input order."""
    return [index for index, rank in enumerate(ranks(losses)) if rank == 0]


def crowding(losses: Sequence[Losses]) -> list[float]:
    """The crowding distance of each point of a front, relative to its extent; infinite at its ends."""
    gaps = [0.0] * len(losses)
    for axis in range(len(losses[0]) if losses else 0):
        order = sorted(range(len(losses)), key=lambda at: losses[at][axis])
        extent = losses[order[-1]][axis] - losses[order[0]][axis]
        gaps[order[0]] = gaps[order[-1]] = math.inf
        if extent > 0.0:
            for before, at, after in zip(order, order[1:], order[2:], strict=False):
                gaps[at] += (losses[after][axis] - losses[before][axis]) / extent
    return gaps


def hypervolume(losses: Sequence[Losses], reference: Losses) -> float:
    """The exact volume that the points dominate up to ``reference``; points not better than it add nothing.

    While et al., "A Fast Way of Calculating Exact Hypervolumes" (WFG), IEEE TEC 2012.
    """
    inside = [tuple(point) for point in losses if all(a < b for a, b in zip(point, reference, strict=True))]
    return _volume(_undominated(inside), tuple(reference))


def _volume(points: list[tuple[float, ...]], reference: tuple[float, ...]) -> float:
    """The volume of points that do not dominate each other."""
    if not points:
        return 0.0
    if len(reference) == 1:
        return reference[0] - points[0][0]
    points = sorted(points)
    if len(reference) == 2:
        rights = [*(right for right, _ in points[1:]), reference[0]]
        return sum((right - x) * (reference[1] - y) for (x, y), right in zip(points, rights, strict=True))
    return sum(_exclusive(point, points[at + 1 :], reference) for at, point in enumerate(points))


def _exclusive(point: tuple[float, ...], others: list[tuple[float, ...]], reference: tuple[float, ...]) -> float:
    """The volume that ``point`` dominates and ``others`` do not."""
    limited = [tuple(map(max, point, other)) for other in others]
    box = math.prod(high - low for low, high in zip(point, reference, strict=True))
    return box - _volume(_undominated(limited), reference)


def _undominated(points: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """The distinct points that no other point dominates."""
    distinct = list(dict.fromkeys(points))
    return [distinct[at] for at in front(distinct)]
