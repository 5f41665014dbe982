"""The coarser comparison, for networks too large for the cheapest alignment: equal parts first, the rest in order."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import TypeAlias

from inception_search.compare.element import Element

Series: TypeAlias = tuple[Element, ...]
EDITS = 200  # elements that two series may not have in common for the others to be found
SMALLEST = 16  # cells of a piece: the work of cutting a series up is bounded by its length


def pieces(xs: Series, ys: Series, cells: int) -> list[tuple[Series, Series]]:
    """Two series cut into pieces that are aligned on their own, all of them with about so many ``cells`` at most.

    They are cut at the elements that both have, in order; where little is alike, at the same parts of their lengths.
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
    """Places of equals, in order, as many as can be; none where more than :data:`EDITS` have no equal.

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
    """For each of ``xs`` the index of an equal one of ``ys`` that no other has; those in order come first."""
    found: dict[int, int] = dict(common([x.key for x in xs], [y.key for y in ys]))
    places: dict[int, deque[int]] = defaultdict(deque)
    for j in sorted(set(range(len(ys))).difference(found.values())):
        places[ys[j].key].append(j)
    for i, x in enumerate(xs):
        if i not in found and places[x.key]:
            found[i] = places[x.key].popleft()
    return [found.get(i) for i in range(len(xs))]


def _cells_of_a_piece(rows: int, columns: int, cells: int) -> int:
    """Of pieces that have ``cells`` together: n x m cut into k pieces has n m / k cells, each piece n m / k^2."""
    return max(SMALLEST, cells * cells // max(rows * columns, 1))


def _after_an_edit(furthest: dict[int, int], diagonal: int, edits: int) -> int:
    """How far along ``xs`` a diagonal is reached, by leaving out one of ``ys`` or one of ``xs``."""
    down = _leaves_out_of_ys(furthest, diagonal, edits)
    return furthest[diagonal + 1] if down else furthest[diagonal - 1] + 1


def _leaves_out_of_ys(furthest: dict[int, int], diagonal: int, edits: int) -> bool:
    return diagonal == -edits or (diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1])


def _equals(steps: Sequence[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    """The way back through the steps of :func:`common`: the places where nothing was edited."""
    found: list[tuple[int, int]] = []
    for edits in range(len(steps) - 1, -1, -1):
        diagonal, furthest = x - y, steps[edits]
        begun = _after_an_edit(furthest, diagonal, edits)
        while x > begun and x > 0 and y > 0:
            x, y = x - 1, y - 1
            found.append((x, y))
        x, y = (x, y - 1) if _leaves_out_of_ys(furthest, diagonal, edits) else (x - 1, y)
    return found[::-1]
