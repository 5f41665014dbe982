"""The coarser comparison, for networks too large for the exact alignment: equal parts first, the rest in order."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import TypeAlias

from inception_search.compare.element import Element

Series: TypeAlias = tuple[Element, ...]
EDITS = 200  # differing elements up to which the common elements of two series are searched for
SMALLEST = 16  # least cells of a piece, so that cutting a series takes work linear in its length


def pieces(xs: Series, ys: Series, cells: int) -> list[tuple[Series, Series]]:
    """Two series cut into pieces that are aligned separately; together they have about ``cells`` cells at most.

    They are cut at common elements, in order; where few are common, they are cut in halves.
    """
    anchors = common([x.key for x in xs], [y.key for y in ys])
    found: list[tuple[Series, Series]] = []
    i = j = 0
    for at, beside in [*anchors, (len(xs), len(ys))]:
        found += halves(xs[i:at], ys[j:beside], _cells_of_a_piece(at - i, beside - j, cells))
        found += [(xs[at : at + 1], ys[beside : beside + 1])] if at < len(xs) else []
        i, j = at + 1, beside + 1
    return [(a, b) for a, b in found if a or b]


def halves(xs: Series, ys: Series, most: int) -> list[tuple[Series, Series]]:
    """Two series, cut in half until no piece has more than ``most`` cells."""
    if len(xs) * len(ys) <= most:
        return [(xs, ys)]
    i, j = len(xs) // 2, len(ys) // 2
    return halves(xs[:i], ys[:j], most) + halves(xs[i:], ys[j:], most)


def common(xs: Sequence[int], ys: Sequence[int]) -> list[tuple[int, int]]:
    """Index pairs of equal elements, in order, as many as possible; empty where more than :data:`EDITS` differ.

    The greedy algorithm of Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1986.
    """
    furthest, steps = {1: 0}, []
    for edits in range(min(EDITS, len(xs) + len(ys)) + 1):
        steps.append(dict(furthest))
        for diagonal in range(-edits, edits + 1, 2):
            x = _after_an_edit(furthest, diagonal, edits)
            while x < len(xs) and x - diagonal < len(ys) and xs[x] == ys[x - diagonal]:
                x += 1
            furthest[diagonal] = x
            if x >= len(xs) and x - diagonal >= len(ys):
                return _equals(steps, len(xs), len(ys))
    return []


def equals_first(xs: Series, ys: Series) -> list[int | None]:
    """For each element of ``xs`` the index of its own equal in ``ys``, or None; pairs in order are found first."""
    found: dict[int, int] = dict(common([x.key for x in xs], [y.key for y in ys]))
    places: dict[int, deque[int]] = defaultdict(deque)
    for j in sorted(set(range(len(ys))).difference(found.values())):
        places[ys[j].key].append(j)
    for i, x in enumerate(xs):
        if i not in found and places[x.key]:
            found[i] = places[x.key].popleft()
    return [found.get(i) for i in range(len(xs))]


def _cells_of_a_piece(rows: int, columns: int, cells: int) -> int:
    """The cells of one piece when all have ``cells`` together: k pieces of n x m have n m / k cells, one n m / k^2."""
    return max(SMALLEST, cells * cells // max(rows * columns, 1))


def _after_an_edit(furthest: dict[int, int], diagonal: int, edits: int) -> int:
    """How far along ``xs`` a diagonal is reached by skipping one element of ``ys`` or of ``xs``."""
    down = _leaves_out_of_ys(furthest, diagonal, edits)
    return furthest[diagonal + 1] if down else furthest[diagonal - 1] + 1


def _leaves_out_of_ys(furthest: dict[int, int], diagonal: int, edits: int) -> bool:
    return diagonal == -edits or (diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1])


def _equals(steps: Sequence[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    """Traces the steps of :func:`common` backwards: the index pairs of equal elements."""
    found: list[tuple[int, int]] = []
    for edits in range(len(steps) - 1, -1, -1):
        diagonal, furthest = x - y, steps[edits]
        begun = _after_an_edit(furthest, diagonal, edits)
        while x > begun and x > 0 and y > 0:
            x, y = x - 1, y - 1
            found.append((x, y))
        x, y = (x, y - 1) if _leaves_out_of_ys(furthest, diagonal, edits) else (x - 1, y)
    return found[::-1]
