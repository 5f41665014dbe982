"""The least cost of an alignment, found by trying every one: slow, and written without the aligner."""

from __future__ import annotations

from itertools import combinations, permutations

from inception_search.compare.edit_costs import Change, changes, cost_of_changes, weight, whole_weight
from inception_search.compare.element import Element

Series = tuple[Element, ...]


def least(xs: Series, ys: Series) -> int:
    """The least cost of making ``ys`` of ``xs``, of all ways to begin."""
    if not xs or not ys:
        return sum(map(whole_weight, (*xs, *ys)))
    first, rest, other, others = xs[0], xs[1:], ys[0], ys[1:]
    ways = [whole_weight(first) + least(rest, ys), whole_weight(other) + least(xs, others)]
    if first.kind == other.kind:
        ways.append(pair(first, other) + least(rest, others))
    for length in range(1, len(ys) + 1):
        ways += [cost + least(rest, ys[length:]) for cost in openings(first, ys[:length], least, False)]
    for length in range(1, len(xs) + 1):
        ways += [cost + least(xs[length:], others) for cost in openings(other, xs[:length], turned, True)]
    return min(ways)


def turned(xs: Series, ys: Series) -> int:
    """The same the other way round."""
    return least(ys, xs)


def pair(a: Element, b: Element) -> int:
    """The cost of two elements of one kind."""
    if a.kind != "concat":
        return cost_of_changes(changes(a, b)) + least(a.inside, b.inside)
    few, many = sorted((a.inside, b.inside), key=len)
    ways = []
    for size in range(len(few) + 1):
        for kept in combinations(range(len(few)), size):
            for partners in permutations(range(len(many)), size):
                cost = sum(whole_weight(x) for i, x in enumerate(few) if i not in kept)
                cost += sum(whole_weight(y) for j, y in enumerate(many) if j not in partners)
                for i, j in zip(kept, partners, strict=True):
                    x, y = (few[i], many[j]) if few is a.inside else (many[j], few[i])
                    cost += least(x.inside, y.inside) + abs(i - j)
                ways.append(cost)
    return min(ways)


def openings(element: Element, run: Series, cost, swapped: bool) -> list[int]:  # type: ignore[no-untyped-def]
    """The costs of opening ``element`` to stand for exactly ``run``, one for every way."""
    size, ways = len(element.inside), []
    wanted = {kind for part in run for kind in seen(part)}
    if element.factors and "conv" in wanted and len(run) <= len(element.factors) + 2:
        ways.append(1 + cost(element.factors, run))
    if element.kind == "block" and wanted & set(deep(element)) and len(run) <= size + 2:
        ways.append(weight(element) + cost(element.inside, run))
    if element.kind == "concat":
        for branch in element.inside:
            if wanted & set(deep(branch)) and len(run) <= len(branch.inside) + 2:
                rest = sum(whole_weight(other) for other in element.inside if other is not branch)
                ways.append(weight(element) + rest + weight(branch) + cost(branch.inside, run))
    if element.kind == "repeat":
        ways += [1 + times(element, 1, swapped) + cost(element.inside, run)] if len(run) <= size + 2 else []
        for each in {size, unrolled(element.inside)} - {0}:
            copies = len(run) // each
            if copies and copies * each == len(run) and copies <= element.times:
                groups = [run[i : i + each] for i in range(0, len(run), each)]
                ways.append(1 + times(element, copies, swapped) + sum(cost(element.inside, group) for group in groups))
    return ways


def unrolled(inside: Series) -> int:
    """How many elements there are when every repeat is written out."""
    return sum(part.times * unrolled(part.inside) if part.kind == "repeat" else 1 for part in inside)


def seen(element: Element) -> list[str]:
    """The kind of an element, and of what it repeats."""
    inside = element.inside if element.kind == "repeat" else ()
    return [element.kind, *(kind for part in inside for kind in seen(part))]


def deep(element: Element) -> list[str]:
    """The kinds of all elements inside ``element``."""
    return [kind for part in element.inside for kind in (part.kind, *deep(part))]


def times(repeat: Element, copies: int, swapped: bool) -> int:
    """The cost of writing a repeat another number of times."""
    if copies == repeat.times:
        return 0
    old, new = (copies, repeat.times) if swapped else (repeat.times, copies)
    return cost_of_changes((Change("times", old, new),))
