"""Enumeration of a finite space in a fixed order: holes in template order, values in the order of their domains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inception_search.errors import SpecError
from inception_search.space.holes import Hole, Params, Value
from inception_search.space.space import Space


def walk(space: Space, after: Params | None = None) -> Iterator[Params]:
    """Yield the points of ``space`` that are valid networks, one by one, starting behind the point ``after``.

    Earlier values decide which holes exist, so the next point is found depth-first: the last hole with a further value
    takes that value, and all later holes take their first values. The points are never stored in a list.
    """
    prefix = [] if after is None else _following(_trace_of(space, after))
    while prefix is not None:
        trace = _Trace(prefix)
        try:
            _, params = space.fill(trace.answer)
        except SpecError:  # the point is not a valid network
            pass
        else:
            yield params
        prefix = _following(trace.answers)


class _Trace:
    """Fills the holes in order, with the values of a prefix, then with first values, and records both."""

    def __init__(self, prefix: Sequence[Value]) -> None:
        self.prefix = prefix
        self.answers: list[tuple[Hole, Value]] = []

    def answer(self, hole: Hole) -> Value:
        at = len(self.answers)
        value = self.prefix[at] if at < len(self.prefix) else _domain(hole)[0]
        self.answers.append((hole, value))
        return value


def _trace_of(space: Space, params: Params) -> list[tuple[Hole, Value]]:
    answers: list[tuple[Hole, Value]] = []

    def answer(hole: Hole) -> Value:
        answers.append((hole, params[hole.name]))
        return params[hole.name]

    space.fill(answer)
    return answers


def _following(answers: Sequence[tuple[Hole, Value]]) -> list[Value] | None:
    """The first values of the next point; None after the last point."""
    for at in reversed(range(len(answers))):
        hole, value = answers[at]
        domain = _domain(hole)
        index = domain.index(value)
        if index + 1 < len(domain):
            return [*(before for _, before in answers[:at]), domain[index + 1]]
    return None


def _domain(hole: Hole) -> Sequence[Value]:
    if hole.domain is None:
        raise ValueError(f"{hole.name} is endless")
    return hole.domain
