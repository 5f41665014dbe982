"""The points one decision away from a point."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from inception_search.space.holes import Choice, Float, Hole, Params, Value
from inception_search.space.sampling import first

_NUMBER = re.compile(r"[0-9]+")
# The preference of labels over numbers, since labels change the structure. If all values of all decisions were equally
# likely, most neighbours would differ in a width, which has the most values.
LABELS = 3
_STEPS = 20  # a neighbour in a continuous range differs by one of these parts

Decide = Callable[[Callable[[Hole], Value]], Params]  # the point whose reached holes have the values of a function


def changes(hole: Hole, value: Value, steps: Sequence[int] = (1,)) -> tuple[Value, ...]:
    """The values next to ``value``: every other label, or the numbers one step (each of ``steps``) down and up."""
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
    """``params`` with some decisions changed; new holes copy the corresponding hole of the module before."""

    def answer(hole: Hole) -> Value:
        if hole.name in update:
            return update[hole.name]
        found = like(hole, params)
        return first(hole) if found is None else found

    return decide(answer)


def like(hole: Hole, params: Params, numbers: int | None = None) -> Value | None:
    """The value of the hole, or of the hole with a lower number in its name, which belongs to a module before.

    Only the first ``numbers`` numbers of the name are lowered (None: any of them, one at a time).
    """
    if hole.name in params:
        return params[hole.name] if hole.why_not(params[hole.name]) is None else None
    for match in islice(_NUMBER.finditer(hole.name), numbers):
        for number in range(int(match[0]) - 1, -1, -1):
            name = f"{hole.name[: match.start()]}{number}{hole.name[match.end() :]}"
            if name in params and hole.why_not(params[name]) is None:
                return params[name]
    return None
