"""Costs of edits: the weight of an element that is added or removed, and of each field that changes.

Costs are integers, so that the cheapest alignment is the same on every machine. A cost combines two parts in one
number: the edits times ``EDIT``, and a smaller part that only decides between alignments with equally many edits (the
difference of widths, the names of stages, the order of branches).
"""

from __future__ import annotations

from typing import NamedTuple

from inception_search.compare.element import Element, Value

EDIT = 1 << 32
FAR = 16  # the largest cost of a difference between widths, far below that of an edit
_WEIGHTS = {"conv": 8, "depthwise": 8, "pool": 6, "adaptive_pool": 6, "dag": 12, "classifier": 8, "linear": 6}
_WEIGHTS |= {"embedding": 6, "global_pool": 6, "concat": 2, "repeat": 2, "block": 3, "branch": 1, "aux": 2}
_OTHER_WEIGHT = 3
_FIELDS = {"kernel": 4, "stride": 4, "groups": 2, "dilation": 2, "factor": 2, "mode": 3, "skip": 2, "project": 2}
_FIELDS |= {"times": 2, "form": 3, "node": 4}
_OTHER_FIELD = 1


class Change(NamedTuple):
    """A field that differs between two elements; None: the field is absent or has no value."""

    field: str
    old: Value
    new: Value


def changes(a: Element, b: Element) -> tuple[Change, ...]:
    """The fields in which two elements of one kind differ, in the order of the element's fields."""
    theirs = {field.name: field for field in b.fields}
    found = [
        Change(field.name, field.real, theirs[field.name].real)
        for field in a.fields
        if field.name in theirs and not field.equals(theirs[field.name])
    ]
    if a.kind == "dag":  # nodes that only one of them has
        mine = {field.name for field in a.fields}
        found += [Change(field.name, field.real, None) for field in a.fields if field.name not in theirs]
        found += [Change(field.name, None, field.real) for field in b.fields if field.name not in mine]
    return tuple(found)


def cost_of_changes(found: tuple[Change, ...]) -> int:
    """The cost of changing these fields."""
    return sum(EDIT * _FIELDS.get(field.split()[0], _OTHER_FIELD) + _distance(old, new) for field, old, new in found)


def weight(element: Element) -> int:
    """The cost of adding or removing ``element`` itself, without its contents."""
    return EDIT * _WEIGHTS.get(element.kind, _OTHER_WEIGHT)


def whole_weight(element: Element) -> int:
    """The cost of adding or removing ``element`` with its contents.

    A whole branch is cheaper than its steps, because people describe it as one change.
    """
    inside = sum(map(whole_weight, element.inside))
    return weight(element) + (inside * 3 // 4 if element.kind == "branch" else inside)


def _distance(old: Value, new: Value) -> int:
    """How much two widths differ, 0 to ``FAR``."""
    if type(old) is not int or type(new) is not int:
        return 0
    return FAR * abs(old - new) // max(abs(old), abs(new), 1)
