"""The cheapest alignment of two series of elements, by dynamic programming.

Elements in series keep their order; branches of a concat may change theirs. An element of one side stands for one of
the same kind on the other, or is added or removed, or is opened: what is inside it stands for a run of elements of
the other side. So a block put around a module, a branch put beside one, a repeat written out and a factor written
out are one edit, or none. Nothing is opened for elements of kinds that are nowhere inside it.

The work is bounded, and what goes beyond is compared in a coarser way: equals are matched first and others in order,
large elements are priced by their size, and are not opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from inception_search.compare.assign import assigned
from inception_search.compare.coarse import equals_first, pieces
from inception_search.compare.diff_entry import Entry, Status, alone, order_change, paired
from inception_search.compare.edit_costs import EDIT, Change, changes, cost_of_changes, weight, whole_weight
from inception_search.compare.element import Element, copy_of

Series: TypeAlias = tuple[Element, ...]
FEW = 64  # branches whose partners are looked for from the first side
SLACK = 2  # elements a run may have more than what it stands for
MOST_COPIES = 64  # of a repeat that are looked for written out
# The bounds of the work, in cells: pairs that are looked at. What goes beyond may miss the cheapest alignment.
CELLS = 60_000  # of one table
WITHIN = 40_000  # of two elements with all that is inside them, and of two sets of branches
BUDGET = 200_000  # of all that is priced for one comparison, and as many again of all that is written down
STEPS = 40  # of the search for partners that cost as much as a cell


class Opened(NamedTuple):
    """An element that is opened: what is inside it, in groups, each standing for a run of the other side."""

    element: Element
    length: int
    groups: tuple[tuple[Series, int], ...]
    """What is inside, and how many elements of the other side it stands for."""
    cost: int
    changes: tuple[Change, ...] = ()
    branch: Element | None = None


class Inner(NamedTuple):
    """A series inside an element, the branch it is, the cost of the rest, and the kinds of elements it is made of."""

    part: Series
    branch: Element | None
    cost: int
    reach: set[str]


class Move(NamedTuple):
    """The last step of an alignment: how many elements of each side it takes, and the one that is opened."""

    a: int
    b: int
    opened: Opened | None = None


class Aligner:
    """Aligns series; it remembers what every pair of series has cost. ``coarse``: some were too large for the best."""

    def __init__(self) -> None:
        self.coarse = False
        self._to_price, self._to_write = BUDGET, BUDGET
        self._sizes: dict[int, int] = {}
        self._series: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
        self._pairs: dict[tuple[int, int], int] = {}
        self._weights: dict[int, int] = {}
        self._inside: dict[tuple[int, str], tuple[Inner, ...]] = {}

    def whole(self, element: Element) -> int:
        """What it costs to add or remove an element with all that is inside it."""
        if element.key not in self._weights:
            self._weights[element.key] = whole_weight(element)
        return self._weights[element.key]

    def cost(self, xs: Series, ys: Series) -> int:
        """What it costs to make ``ys`` of ``xs``, two series that are not both of stages."""
        if not xs or not ys:
            return sum(map(self.whole, xs or ys))
        known = (tuple(x.key for x in xs), tuple(y.key for y in ys))
        if known not in self._series:
            cut = self._pieces(xs, ys, self._to_price)
            self._to_price -= _cells(cut)
            self._series[known] = sum(self._table(*piece)[0][-1][-1] for piece in cut)
        return self._series[known]

    def entries(self, xs: Series, ys: Series) -> tuple[Entry, ...]:
        """The alignment itself."""
        found: list[Entry] = []
        cut = self._pieces(xs, ys, self._to_write)
        self._to_write -= _cells(cut)
        for piece in cut:
            found += self._traced(*piece)
        return tuple(found)

    def pair(self, a: Element, b: Element) -> int | None:
        """What it costs to make ``b`` of ``a``; None where they are of different kinds."""
        if a.kind != b.kind:
            return None
        key = (a.key, b.key)
        if key not in self._pairs:
            self._pairs[key] = 0 if a.key == b.key else self._different(a, b)
        named = a.kind == "aux" and a.name != b.name
        return self._pairs[key] + named + (a.stage != b.stage and bool(a.stage and b.stage))

    def entry(self, a: Element, b: Element) -> Entry:
        """The entry of two elements of one kind."""
        if a.kind != "concat":
            return paired(a.kind, (a,), (b,), changes(a, b), self.entries(a.inside, b.inside))
        inside = self.matched(a.inside, b.inside, self.partners(a.inside, b.inside))
        return paired(a.kind, (a,), (b,), order_change(inside), inside)

    def partners(self, xs: Series, ys: Series) -> list[int | None]:
        """For each of ``xs`` the index of the one of ``ys`` it stands for, in any order."""
        if self._few(len(xs), len(ys)):
            return self._cheapest(list(enumerate(xs)), list(enumerate(ys)))
        self.coarse = True
        found = equals_first(xs, ys)
        left = [i for i, partner in enumerate(found) if partner is None]
        others = sorted(set(range(len(ys))).difference(found))
        chosen: Sequence[int | None] = range(len(others))  # in their order
        if self._few(len(left), len(others)):
            chosen = self._cheapest([(i, xs[i]) for i in left], [(j, ys[j]) for j in others])
        for i, partner in zip(left, chosen, strict=False):
            found[i] = None if partner is None else others[partner]
        return found

    def matched(self, xs: Series, ys: Series, partners: Sequence[int | None]) -> list[Entry]:
        """The entries of two sets with those partners, in any order."""
        found = [
            alone(x, "removed") if partner is None else self.entry(x, ys[partner])
            for x, partner in zip(xs, partners, strict=True)
        ]
        taken = set(partners)
        return found + [alone(y, "added") for j, y in enumerate(ys) if j not in taken]

    def _beside(self, i: int, x: Element, j: int, y: Element) -> int:
        """What it costs to make one branch of another; of equals those that stay in their order are cheaper."""
        cost = self.pair(x, y)
        assert cost is not None
        return cost + abs(i - j)

    def _cheapest(self, xs: Sequence[tuple[int, Element]], ys: Sequence[tuple[int, Element]]) -> list[int | None]:
        """The partners that cost least, of branches with their numbers."""
        pairs = [[self._beside(i, x, j, y) for j, y in ys] for i, x in xs]
        without, extra = ([self.whole(element) for _, element in side] for side in (xs, ys))
        if len(xs) <= max(len(ys), FEW):
            return assigned(pairs, without, extra)
        # The other way round, the work does not grow with the square of the longer side.
        partners = assigned([list(column) for column in zip(*pairs, strict=True)], extra, without)
        back = {i: j for j, i in enumerate(partners)}
        return [back.get(i) for i in range(len(xs))]

    def _few(self, rows: int, columns: int) -> bool:
        """Whether the budget allows to find the cheapest partners of a table of this size; if so, subtract its cost."""
        fewer = min(rows, columns) if rows > FEW else rows
        cells = rows * columns + fewer * fewer * (rows + columns) // STEPS
        if cells > min(WITHIN, self._to_price):
            return False
        self._to_price -= cells
        return True

    def _small(self, cells: int) -> bool:
        """Whether the budget allows to align what is inside two elements; ``cells`` is the number of pairs in them."""
        small = cells <= WITHIN and self._to_price > 0
        self.coarse = self.coarse or not small
        return small

    def _size(self, series: Series) -> int:
        """How many elements there are in a series, at any depth."""
        total = 0
        for element in series:
            if element.key not in self._sizes:
                self._sizes[element.key] = 1 + self._size(element.inside)
            total += self._sizes[element.key]
        return total

    def _pieces(self, xs: Series, ys: Series, left: int) -> list[tuple[Series, Series]]:
        """``xs`` and ``ys`` in pieces that are aligned on their own: as they are, unless that is too much work."""
        cells = len(xs) * len(ys)
        if cells <= min(CELLS, left):
            return [(xs, ys)]
        self.coarse = True
        return pieces(xs, ys, min(CELLS, left // 2))

    def _different(self, a: Element, b: Element) -> int:
        cost = cost_of_changes(changes(a, b))
        if not self._small(self._size((a,)) * self._size((b,))):
            return max(EDIT, cost + abs(self.whole(a) - self.whole(b)))
        if a.kind != "concat":
            return cost + self.cost(a.inside, b.inside)
        partners = self.partners(a.inside, b.inside)
        taken = {partner for partner in partners if partner is not None}
        for index, (x, partner) in enumerate(zip(a.inside, partners, strict=True)):
            cost += self.whole(x) if partner is None else self._beside(index, x, partner, b.inside[partner])
        return cost + sum(self.whole(y) for j, y in enumerate(b.inside) if j not in taken)

    def _table(self, xs: Series, ys: Series) -> tuple[list[list[int]], list[list[Move]]]:
        """The least cost of every two beginnings, and the move that ends it."""
        best = [[0] * (len(ys) + 1) for _ in range(len(xs) + 1)]
        last = [[Move(0, 0)] * (len(ys) + 1) for _ in range(len(xs) + 1)]
        for i in range(len(xs) + 1):
            for j in range(len(ys) + 1):
                if i or j:
                    cost, move = min(self._moves(xs, ys, i, j, best), key=lambda found: found[0])
                    best[i][j], last[i][j] = cost, move
        return best, last

    def _moves(self, xs: Series, ys: Series, i: int, j: int, best: list[list[int]]) -> Iterator[tuple[int, Move]]:
        """The ways to end an alignment of ``xs[:i]`` and ``ys[:j]``; of equally cheap ones the first counts."""
        if i and j:
            cost = self.pair(xs[i - 1], ys[j - 1])
            if cost is not None:
                yield best[i - 1][j - 1] + cost, Move(1, 1)
            for opened in self._opened(xs[i - 1], ys[:j], mine=True):
                yield best[i - 1][j - opened.length] + opened.cost, Move(1, opened.length, opened)
            for opened in self._opened(ys[j - 1], xs[:i], mine=False):
                yield best[i - opened.length][j - 1] + opened.cost, Move(opened.length, 1, opened)
        if i:
            yield best[i - 1][j] + self.whole(xs[i - 1]), Move(1, 0)
        if j:
            yield best[i][j - 1] + self.whole(ys[j - 1]), Move(0, 1)

    def _opened(self, element: Element, before: Series, *, mine: bool) -> Iterator[Opened]:
        """The ways to open ``element`` to stand for elements at the end of ``before``, with their whole cost."""

        def inside(part: Series, run: Series) -> int:
            self._to_price -= 1
            return self.cost(part, run) if mine else self.cost(run, part)

        parts = self._inner(element)
        if not parts and element.kind != "repeat":
            return
        longest = max((len(inner.part) for inner in parts), default=len(element.inside)) + SLACK
        if not self._small(self._size((element,)) * self._size(before[-longest:])):
            return
        if element.kind == "repeat":
            yield from _copies(element, before, inside, mine)
        for part, branch, cost, reach in parts:
            for length in range(1, min(len(part) + SLACK, len(before)) + 1):
                if not reach & _kinds(before[-length:]):
                    continue  # nothing in it is like anything there
                whole = cost + inside(part, before[-length:])
                yield Opened(element, length, ((part, length),), whole, branch=branch)

    def _inner(self, element: Element) -> tuple[Inner, ...]:
        """What may stand for a run when ``element`` is opened."""
        key = (element.key, element.path)
        if key not in self._inside:
            self._inside[key] = tuple(_inner(element))
        return self._inside[key]

    def _traced(self, xs: Series, ys: Series) -> list[Entry]:
        _, last = self._table(xs, ys)
        found: list[Entry] = []
        i, j = len(xs), len(ys)
        while i or j:
            move = last[i][j]
            found.append(self._made(xs[i - move.a : i], ys[j - move.b : j], move))
            i, j = i - move.a, j - move.b
        return found[::-1]

    def _made(self, xs: Series, ys: Series, move: Move) -> Entry:
        opened = move.opened
        if opened is not None:
            return self._opening(xs, ys, opened, mine=move.a == 1 and xs[0] is opened.element)
        if not xs:
            return alone(ys[0], "added")
        return self.entry(xs[0], ys[0]) if ys else alone(xs[0], "removed")

    def _opening(self, xs: Series, ys: Series, opened: Opened, *, mine: bool) -> Entry:
        """The entry of an opened element and the run it stands for."""
        element, run, start = opened.element, ys if mine else xs, 0
        inside: list[Entry] = []
        for part, length in opened.groups:
            piece = run[start : start + length]
            inside += self.entries(part, piece) if mine else self.entries(piece, part)
            start += length
        if element.kind in ("repeat", "conv"):
            return paired(element.kind, xs, ys, opened.changes, inside)
        status: Status = "removed" if mine else "added"
        if opened.branch is not None:
            a, b = ((opened.branch,), ys) if mine else (xs, (opened.branch,))
            whole = Entry(status, "branch", a, b, inside=tuple(inside))
            inside = [whole if part is opened.branch else alone(part, status) for part in element.inside]
        return Entry(status, element.kind, xs, ys, inside=tuple(inside))


def _inner(element: Element) -> Iterator[Inner]:
    if element.factors:
        yield Inner(element.factors, None, 1, _reach(element.factors))
    if element.kind == "block":
        yield Inner(element.inside, None, weight(element), _reach(element.inside))
    if element.kind == "concat":
        whole = whole_weight(element)
        for branch in element.inside:
            if branch.inside:
                rest = whole - whole_weight(branch) + weight(branch)
                yield Inner(branch.inside, branch, rest, _reach(branch.inside))


def _copies(repeat: Element, before: Series, inside: Callable[[Series, Series], int], mine: bool) -> Iterator[Opened]:
    """The ways a repeat stands for a run of copies of what is inside it."""
    size = len(repeat.inside)
    for each in sorted({size, spread(repeat.inside)}):  # repeats inside as one element, or written out, too
        cost, groups = 1, []
        for number in range(min(repeat.times, MOST_COPIES, len(before) // max(each, 1)) if each else 0):
            end = len(before) - number * each
            cost += inside(repeat.inside, before[end - each : end])
            groups.append((copy_of(repeat, number), each))
            found = _other_times(repeat, number + 1, mine)
            yield Opened(repeat, (number + 1) * each, tuple(groups), cost + cost_of_changes(found), found)
    found = _other_times(repeat, 1, mine)
    for length in range(1, min(size + SLACK, len(before)) + 1):
        if length != size:
            cost = 1 + inside(repeat.inside, before[-length:]) + cost_of_changes(found)
            yield Opened(repeat, length, ((repeat.inside, length),), cost, found)


def spread(series: Series) -> int:
    """How many elements a series has when its repeats are written out."""
    return sum(element.times * spread(element.inside) if element.kind == "repeat" else 1 for element in series)


def _reach(series: Series) -> set[str]:
    """The kinds of elements in a series, at any depth."""
    return {element.kind for element in series}.union(*(_reach(element.inside) for element in series))


def _kinds(series: Series) -> set[str]:
    """The kinds of elements of a series, those a repeat repeats included."""
    inside = (_kinds(element.inside) for element in series if element.kind == "repeat")
    return {element.kind for element in series}.union(*inside)


def _other_times(repeat: Element, copies: int, mine: bool) -> tuple[Change, ...]:
    if copies == repeat.times:
        return ()
    return (Change("times", *((repeat.times, copies) if mine else (copies, repeat.times))),)


def _cells(cut: Sequence[tuple[Series, Series]]) -> int:
    return sum(len(xs) * len(ys) for xs, ys in cut)
