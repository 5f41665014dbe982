"""Every point of a finite space in a fixed order: holes in the order they are reached, values as their domains say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inception_search.errors import SpecError
from inception_search.space.holes import Hole, Params, Value
from inception_search.space.space import Space


def walk(space: Space, after: Params | None = None) -> Iterator[Params]:
    """The points of ``space`` that are networks, made one by one; only those that come ``after`` one of them.

    Which holes are reached depends on the answers before, so the next point is found depth-first: the last hole that
    has another value takes it, and what it leads to takes first values. No list of points is ever held.
    """
    prefix = [] if after is None else _following(_trace_of(space, after))
    while prefix is not None:
        trace = _Trace(prefix)
        try:
            _, params = space.fill(trace.answer)
        except SpecError:  # this point breaks a rule of documents
            pass
        else:
            yield params
        prefix = _following(trace.asked)


class _Trace:
    """Answers the holes in turn with a prefix, then with first values, and notes what was asked."""

    def __init__(self, prefix: Sequence[Value]) -> None:
        self.prefix = prefix
        self.asked: list[tuple[Hole, Value]] = []

    def answer(self, hole: Hole) -> Value:
        at = len(self.asked)
        value = self.prefix[at] if at < len(self.prefix) else _domain(hole)[0]
        self.asked.append((hole, value))
        return value


def _trace_of(space: Space, params: Params) -> list[tuple[Hole, Value]]:
    asked: list[tuple[Hole, Value]] = []

    def answer(hole: Hole) -> Value:
        asked.append((hole, params[hole.name]))
        return params[hole.name]

    space.fill(answer)
    return asked


def _following(asked: Sequence[tuple[Hole, Value]]) -> list[Value] | None:
    """The beginning of the next point; None after the last one."""
    for at in reversed(range(len(asked))):
        hole, value = asked[at]
        domain = _domain(hole)
        index = domain.index(value)
        if index + 1 < len(domain):
            return [*(before for _, before in asked[:at]), domain[index + 1]]
    return None


def _domain(hole: Hole) -> Sequence[Value]:
    if hole.domain is None:
        raise ValueError(f"{hole.name} is endless")
    return hole.domain
