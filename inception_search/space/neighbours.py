"""The points one decision away from a point."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from inception_search.space.holes import Choice, Float, Hole, Params, Value
from inception_search.space.sampling import first

_NUMBER = re.compile(r"[0-9]+")
# How much sooner a label comes than a number: it decides what a network is, the number how much of it. Drawn from all
# values of all decisions, most neighbours would differ in a width, which has the most values.
LABELS = 3
_STEPS = 20  # parts of an endless range that a neighbour is apart

Decide = Callable[[Callable[[Hole], Value]], Params]  # asks for every hole that is reached; the point that makes


def changes(hole: Hole, value: Value, steps: Sequence[int] = (1,)) -> tuple[Value, ...]:
    """The values next to ``value``: every other label, the numbers one step (or so many ``steps``) down and up."""
    if isinstance(hole, Choice):
        return tuple(label for label in hole.domain if label != value)
    both = (*(-step for step in reversed(steps)), *steps)
    if isinstance(hole, Float) and hole.domain is None:
        part = (hole.high - hole.low) / _STEPS
        near = {min(hole.high, max(hole.low, float(value) + step * part)) for step in both}
        return tuple(sorted(near - {float(value)}))
    domain = hole.domain
    at = domain.index(value)  # type: ignore[union-attr, arg-type]
    return tuple(domain[at + step] for step in both if 0 <= at + step < len(domain))  # type: ignore[index, arg-type]


def moves(
    holes: Mapping[str, Hole], params: Params, rng: random.Random, steps: Sequence[int] = (1,)
) -> Iterator[tuple[str, Value]]:
    """Every change of one decision in a random order: all of one decision, then all of another."""
    order = {name: rng.random() ** (1.0 / (LABELS if isinstance(holes[name], Choice) else 1.0)) for name in params}
    for name in sorted(order, key=order.__getitem__, reverse=True):
        values = changes(holes[name], params[name], steps)
        yield from ((name, value) for value in rng.sample(values, len(values)))


def changed(params: Params, update: Params, decide: Decide) -> Params:
    """``params`` with some decisions changed; holes that are new take after the like of them, one place before."""

    def answer(hole: Hole) -> Value:
        if hole.name in update:
            return update[hole.name]
        found = like(hole, params)
        return first(hole) if found is None else found

    return decide(answer)


def like(hole: Hole, params: Params, numbers: int | None = None) -> Value | None:
    """The value of the hole, or of the one with its name but a lower number: of the module before.

    Only the first ``numbers`` of the name are lowered (None: any of them, one at a time).
    """
    if hole.name in params:
        return params[hole.name] if hole.why_not(params[hole.name]) is None else None
    for match in islice(_NUMBER.finditer(hole.name), numbers):
        for number in range(int(match[0]) - 1, -1, -1):
            name = f"{hole.name[: match.start()]}{number}{hole.name[match.end() :]}"
            if name in params and hole.why_not(params[name]) is None:
                return params[name]
    return None
