"""The result of a comparison: one entry for every pair of elements and for every element without a partner."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal, TypeAlias

from inception_search.compare.edit_costs import Change
from inception_search.compare.element import Element

Status: TypeAlias = Literal["same", "changed", "removed", "added"]
_MIRRORED: dict[Status, Status] = {"same": "same", "changed": "changed", "removed": "added", "added": "removed"}


@dataclass(frozen=True, slots=True)
class Entry:
    """Matched elements of the two sides, and what differs inside them.

    Each side usually has one element, or none where ``status`` is ``added`` or ``removed``. It has several where a
    repeat or a factorised convolution is unrolled on one side only. A block or concat that was put around existing
    elements is ``added``, with those elements on the other side; one that was taken away is ``removed``. ``changes``
    are changes of the elements' own fields; an entry that differs only inside is ``changed`` too.
    """

    status: Status
    kind: str
    a: tuple[Element, ...]
    b: tuple[Element, ...]
    changes: tuple[Change, ...] = ()
    inside: tuple[Entry, ...] = ()

    @property
    def around(self) -> bool:
        """Whether the added (removed) element encloses elements of the other side."""
        return self.status in ("added", "removed") and bool(self.a) and bool(self.b)

    def mirrored(self) -> Entry:
        """The same entry with the two sides swapped."""
        inside = tuple(entry.mirrored() for entry in self.inside)
        found = tuple(Change(change.field, change.new, change.old) for change in self.changes)
        found = order_change(inside) if self.kind == "concat" else found
        return Entry(_MIRRORED[self.status], self.kind, self.b, self.a, found, inside)


def paired(
    kind: str, a: Sequence[Element], b: Sequence[Element], changes: tuple[Change, ...], inside: Sequence[Entry]
) -> Entry:
    """The entry of matched elements."""
    differs = bool(changes) or any(entry.status != "same" for entry in inside)
    return Entry("changed" if differs else "same", kind, tuple(a), tuple(b), changes, tuple(inside))


def order_change(branches: Sequence[Entry]) -> tuple[Change, ...]:
    """The change of a concat with reordered branches: the old numbers (from 0) in the old and in the new order."""
    kept = sorted((entry for entry in branches if entry.a and entry.b and entry.b[0].kind == "branch"), key=_new_number)
    order = [_number(entry.a) for entry in kept if entry.a[0].kind == "branch"]
    if order == sorted(order):
        return ()
    return (Change("order", tuple(sorted(order)), tuple(order)),)


def alone(element: Element, status: Status) -> Entry:
    """The entry of an element without a partner, including its contents."""
    inside = tuple(alone(part, status) for part in element.inside)
    a, b = ((element,), ()) if status == "removed" else ((), (element,))
    return Entry(status, element.kind, a, b, inside=inside)


def tidy(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """``entries`` in series in display order: between matched entries, removed ones come before added ones."""
    out: list[Entry] = []
    gap: list[Entry] = []
    for entry in map(_tidy, entries):
        if entry.a and entry.b:
            out += [*_gap(gap), entry]
            gap = []
        else:
            gap.append(entry)
    return tuple(out + _gap(gap))


def beside(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """``entries`` of branches in the order of the second side; a removed one comes before those that followed it."""
    out = sorted((entry for entry in entries if entry.b), key=_new_number)
    # The highest old number up to each place: a removed branch comes before the first with a higher number.
    highest = list(accumulate((_number(entry.a) if entry.a else -1 for entry in out), max))
    before: dict[int, list[Entry]] = defaultdict(list)
    for lost in sorted((entry for entry in entries if not entry.b), key=lambda entry: _number(entry.a)):
        before[bisect_right(highest, _number(lost.a))].append(lost)
    parts = ([*before[place], *out[place : place + 1]] for place in range(len(out) + 1))
    return tuple(_tidy(entry) for part in parts for entry in part)


def walk(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Every entry, each before its contents."""
    for entry in entries:
        yield entry
        yield from walk(entry.inside)


def _tidy(entry: Entry) -> Entry:
    branches = any(part.kind == "branch" for part in entry.inside)
    return replace(entry, inside=beside(entry.inside) if branches else tidy(entry.inside))


def _gap(entries: list[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry.status == "added")


def _new_number(entry: Entry) -> int:
    return _number(entry.b)


def _number(side: Sequence[Element]) -> int:
    """The position of a branch among its neighbours."""
    return int(side[0].path.rpartition(".")[2]) if side[0].kind == "branch" else 0
