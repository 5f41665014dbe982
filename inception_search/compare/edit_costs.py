"""What an edit costs: how much an element weighs when it is added or removed, and each field when it changes.

Whole numbers, so that the cheapest alignment is the same anywhere. A cost has two parts in one number: edits, times
``EDIT``, and below it what only decides between alignments of equally many edits (how far widths are apart, whether
stages have the same name, whether branches stay in their order).
"""

from __future__ import annotations

from typing import NamedTuple

from inception_search.compare.element import Element, Value

EDIT = 1 << 32
FAR = 16  # what widths infinitely far apart add below an edit
_WEIGHTS = {"conv": 8, "depthwise": 8, "pool": 6, "adaptive_pool": 6, "dag": 12, "classifier": 8, "linear": 6}
_WEIGHTS |= {"embedding": 6, "global_pool": 6, "concat": 2, "repeat": 2, "block": 3, "branch": 1, "aux": 2}
_OTHER_WEIGHT = 3
_FIELDS = {"kernel": 4, "stride": 4, "groups": 2, "dilation": 2, "factor": 2, "mode": 3, "skip": 2, "project": 2}
_FIELDS |= {"times": 2, "form": 3, "node": 4}
_OTHER_FIELD = 1


class Change(NamedTuple):
    """A field that is not the same in two elements; None: it is not there, or says nothing."""

    field: str
    old: Value
    new: Value


def changes(a: Element, b: Element) -> tuple[Change, ...]:
    """The fields in which two elements of one kind differ, in the order they are written."""
    theirs = {field.name: field for field in b.fields}
    found = [
        Change(field.name, field.real, theirs[field.name].real)
        for field in a.fields
        if field.name in theirs and not field.equals(theirs[field.name])
    ]
    if a.kind == "dag":  # the nodes that one of them does not have
        mine = {field.name for field in a.fields}
        found += [Change(field.name, field.real, None) for field in a.fields if field.name not in theirs]
        found += [Change(field.name, None, field.real) for field in b.fields if field.name not in mine]
    return tuple(found)


def cost_of_changes(found: tuple[Change, ...]) -> int:
    """The cost of changing these fields."""
    return sum(EDIT * _FIELDS.get(field.split()[0], _OTHER_FIELD) + _distance(old, new) for field, old, new in found)


def weight(element: Element) -> int:
    """The cost of adding or removing ``element`` alone, without what is inside it."""
    return EDIT * _WEIGHTS.get(element.kind, _OTHER_WEIGHT)


def whole_weight(element: Element) -> int:
    """The cost of adding or removing ``element`` with all that is inside it; a whole branch is cheaper than its steps,
    as people say of one that it was dropped."""
    inside = sum(map(whole_weight, element.inside))
    return weight(element) + (inside * 3 // 4 if element.kind == "branch" else inside)


def _distance(old: Value, new: Value) -> int:
    """How far apart two widths are, 0 to ``FAR``."""
    if type(old) is not int or type(new) is not int:
        return 0
    return FAR * abs(old - new) // max(abs(old), abs(new), 1)
