"""The cheapest alignment of two series of elements, by dynamic programming.

Elements in series keep their order; branches of a concat may be reordered. Each element is matched with one of the same
kind, is added or removed, or is opened: its contents are then matched with a run of elements of the other side. A block
put around a module, a branch put beside one, an unrolled repeat and an unrolled factorisation therefore each cost one
edit or none. An element is opened only if it contains a kind of element that occurs in the run.

The work is bounded. Larger inputs are compared more coarsely: equal elements are matched first and the others in order;
large elements are priced by their size and are not opened.
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
FEW = 64  # with more branches than this, the shorter side is assigned to the longer one
SLACK = 2  # how many more elements a run may have than the contents it is matched with
MOST_COPIES = 64  # unrolled copies of a repeat that are searched for
# Bounds of the work, in cells (pairs of elements examined). Beyond them the cheapest alignment may be missed.
CELLS = 60_000  # of one table
WITHIN = 40_000  # of two elements with their contents, and of two sets of branches
BUDGET = 200_000  # of one comparison for pricing, and the same number again for writing the entries
STEPS = 40  # steps of the search for partners that take as long as one cell


class Opened(NamedTuple):
    """An opened element: its contents in groups, each matched with a run of the other side."""

    element: Element
    length: int
    groups: tuple[tuple[Series, int], ...]
    """Contents, and the number of elements of the other side they are matched with."""
    cost: int
    changes: tuple[Change, ...] = ()
    branch: Element | None = None


class Inner(NamedTuple):
    """A series inside an element, its branch (if it is one), the cost of the rest, and the kinds of elements in the
    series.
    """

    part: Series
    branch: Element | None
    cost: int
    reach: set[str]


class Move(NamedTuple):
    """The last step of an alignment: how many elements of each side it uses, and the element that it opens."""

    a: int
    b: int
    opened: Opened | None = None


class Aligner:
    """Aligns series and caches the cost of every pair. ``coarse``: some were too large for the exact alignment."""

    def __init__(self) -> None:
        self.coarse = False
        self._to_price, self._to_write = BUDGET, BUDGET
        self._sizes: dict[int, int] = {}
        self._series: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
        self._pairs: dict[tuple[int, int], int] = {}
        self._weights: dict[int, int] = {}
        self._inside: dict[tuple[int, str], tuple[Inner, ...]] = {}

    def whole(self, element: Element) -> int:
        """The cost of adding or removing an element with its contents."""
        if element.key not in self._weights:
            self._weights[element.key] = whole_weight(element)
        return self._weights[element.key]

    def cost(self, xs: Series, ys: Series) -> int:
        """The cost of turning ``xs`` into ``ys``; at most one of them may consist of stages."""
        if not xs or not ys:
            return sum(map(self.whole, xs or ys))
        known = (tuple(x.key for x in xs), tuple(y.key for y in ys))
        if known not in self._series:
            cut = self._pieces(xs, ys, self._to_price)
            self._to_price -= _cells(cut)
            self._series[known] = sum(self._table(*piece)[0][-1][-1] for piece in cut)
        return self._series[known]

    def entries(self, xs: Series, ys: Series) -> tuple[Entry, ...]:
        """The cheapest alignment as entries."""
        found: list[Entry] = []
        cut = self._pieces(xs, ys, self._to_write)
        self._to_write -= _cells(cut)
        for piece in cut:
            found += self._traced(*piece)
        return tuple(found)

    def pair(self, a: Element, b: Element) -> int | None:
        """The cost of turning ``a`` into ``b``; None if they are of different kinds."""
        if a.kind != b.kind:
            return None
        key = (a.key, b.key)
        if key not in self._pairs:
            self._pairs[key] = 0 if a.key == b.key else self._different(a, b)
        named = a.kind == "aux" and a.name != b.name
        return self._pairs[key] + named + (a.stage != b.stage and bool(a.stage and b.stage))

    def entry(self, a: Element, b: Element) -> Entry:
        """The entry of two elements of the same kind."""
        if a.kind != "concat":
            return paired(a.kind, (a,), (b,), changes(a, b), self.entries(a.inside, b.inside))
        inside = self.matched(a.inside, b.inside, self.partners(a.inside, b.inside))
        return paired(a.kind, (a,), (b,), order_change(inside), inside)

    def partners(self, xs: Series, ys: Series) -> list[int | None]:
        """For each element of ``xs`` the index of its partner in ``ys``, or None; the order is free."""
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
        """The entries of two sets of elements with the given ``partners``, in any order."""
        found = [
            alone(x, "removed") if partner is None else self.entry(x, ys[partner])
            for x, partner in zip(xs, partners, strict=True)
        ]
        taken = set(partners)
        return found + [alone(y, "added") for j, y in enumerate(ys) if j not in taken]

    def _beside(self, i: int, x: Element, j: int, y: Element) -> int:
        """The cost of turning one branch into another; among equal branches, keeping the order is cheaper."""
        cost = self.pair(x, y)
        assert cost is not None
        return cost + abs(i - j)

    def _cheapest(self, xs: Sequence[tuple[int, Element]], ys: Sequence[tuple[int, Element]]) -> list[int | None]:
        """The cheapest partners of numbered branches."""
        pairs = [[self._beside(i, x, j, y) for j, y in ys] for i, x in xs]
        without, extra = ([self.whole(element) for _, element in side] for side in (xs, ys))
        if len(xs) <= max(len(ys), FEW):
            return assigned(pairs, without, extra)
        # Assigning the shorter side avoids work that grows with the square of the longer one.
        partners = assigned([list(column) for column in zip(*pairs, strict=True)], extra, without)
        back = {i: j for j, i in enumerate(partners)}
        return [back.get(i) for i in range(len(xs))]

    def _few(self, rows: int, columns: int) -> bool:
        """Whether the budget allows an exact search for partners in a table of this size; if so, subtract its cost."""
        fewer = min(rows, columns) if rows > FEW else rows
        cells = rows * columns + fewer * fewer * (rows + columns) // STEPS
        if cells > min(WITHIN, self._to_price):
            return False
        self._to_price -= cells
        return True

    def _small(self, cells: int) -> bool:
        """Whether the budget allows aligning the contents of two elements; ``cells`` is the number of pairs in them."""
        small = cells <= WITHIN and self._to_price > 0
        self.coarse = self.coarse or not small
        return small

    def _size(self, series: Series) -> int:
        """The number of elements in a series, at any depth."""
        total = 0
        for element in series:
            if element.key not in self._sizes:
                self._sizes[element.key] = 1 + self._size(element.inside)
            total += self._sizes[element.key]
        return total

    def _pieces(self, xs: Series, ys: Series, left: int) -> list[tuple[Series, Series]]:
        """Pieces of ``xs`` and ``ys`` to align separately; a single piece unless that is too much work."""
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
        """The least cost for every pair of prefixes, and the last move that reaches it."""
        best = [[0] * (len(ys) + 1) for _ in range(len(xs) + 1)]
        last = [[Move(0, 0)] * (len(ys) + 1) for _ in range(len(xs) + 1)]
        for i in range(len(xs) + 1):
            for j in range(len(ys) + 1):
                if i or j:
                    cost, move = min(self._moves(xs, ys, i, j, best), key=lambda found: found[0])
                    best[i][j], last[i][j] = cost, move
        return best, last

    def _moves(self, xs: Series, ys: Series, i: int, j: int, best: list[list[int]]) -> Iterator[tuple[int, Move]]:
        """The ways to end an alignment of ``xs[:i]`` and ``ys[:j]``; the first of equally cheap ones is used."""
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
        """The ways to open ``element`` and match it with the end of ``before``, with their total cost."""

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
                    continue  # no kind of element occurs in both
                whole = cost + inside(part, before[-length:])
                yield Opened(element, length, ((part, length),), whole, branch=branch)

    def _inner(self, element: Element) -> tuple[Inner, ...]:
        """The series that may be matched with a run when ``element`` is opened."""
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
        """The entry of an opened element and the run it is matched with."""
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
    """The ways to match a repeat with a run of copies of its contents."""
    size = len(repeat.inside)
    for each in sorted({size, spread(repeat.inside)}):  # a nested repeat is one element, or unrolled
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
    """The number of elements of a series when its repeats are unrolled."""
    return sum(element.times * spread(element.inside) if element.kind == "repeat" else 1 for element in series)


def _reach(series: Series) -> set[str]:
    """The kinds of elements in a series, at any depth."""
    return {element.kind for element in series}.union(*(_reach(element.inside) for element in series))


def _kinds(series: Series) -> set[str]:
    """The kinds of elements in a series, including the contents of repeats."""
    inside = (_kinds(element.inside) for element in series if element.kind == "repeat")
    return {element.kind for element in series}.union(*inside)


def _other_times(repeat: Element, copies: int, mine: bool) -> tuple[Change, ...]:
    if copies == repeat.times:
        return ()
    return (Change("times", *((repeat.times, copies) if mine else (copies, repeat.times))),)


def _cells(cut: Sequence[tuple[Series, Series]]) -> int:
    return sum(len(xs) * len(ys) for xs, ys in cut)
