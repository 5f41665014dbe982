"""Refuse templates in which one network is two points, because ``encode`` could not choose between them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations, islice
from typing import Any

from inception_search.errors import LimitError, NotInSpaceError, Place, SpecError
from inception_search.space.build import Builder
from inception_search.space.decode import try_fill
from inception_search.space.encode import encode
from inception_search.space.holes import Choice, Float, Integer, Many, Of, Params, items
from inception_search.space.match import Matcher
from inception_search.space.sampling import draw
from inception_search.spec.step import KINDS

PROBES = 3
FEW = 12  # spaces with at most this number of holes
MORE_PROBES = 24  # are probed with this number of points
MANY = 80  # each label is probed if a space has at most this number of labels
ROUTES = 20  # most matches of one network that are compared
_MEMBERS = 1_000  # values of a range that are compared with another range


def check_ambiguity(builder: Builder, file: str | None) -> None:
    """Raise SpecError if two options can be equal, or if the network of a random point is also another point."""
    places: dict[str, list[Choice]] = {}
    for hole in _choices(builder.template.root, set()):
        places.setdefault(hole.name, []).append(hole)
    for same in places.values():
        for one, other in combinations(same[0].options, 2):
            if all(_can_equal(hole.options[one], hole.options[other]) for hole in same):
                rule = f"options {one!r} and {other!r} can be the same"
                raise _error(rule, same[0], file, "drop one, or use values that do not overlap")
    labels = [(name, label) for name, (hole, *_) in places.items() for label in hole.options]
    for seed in range(MORE_PROBES if len(builder.template.holes) <= FEW else PROBES):
        _probe(builder, file, random.Random(seed), {})
    for seed, (name, label) in enumerate(labels if len(labels) <= MANY else ()):
        _probe(builder, file, random.Random(seed), {name: label})


def _probe(builder: Builder, file: str | None, rng: random.Random, given: Params) -> None:
    """Draw a point with the ``given`` labels, and raise if its network is another point, too."""
    drawn = try_fill(builder, lambda hole: given.get(hole.name) or draw(hole, rng), file)
    if drawn is None:
        return
    network, params = drawn
    try:
        points = [*islice(Matcher(builder, network).points(), ROUTES)] or [encode(builder, network)]
    except (LimitError, RecursionError):  # raised again for a user who encodes such a network
        return
    except NotInSpaceError as error:
        raise SpecError(f"a network of the space is not found in it again: {error}", place=Place(file)) from None
    if builder.tracks:  # the matcher does not compare numbers that follow the channels
        points = points[:1]
    for found in (point for point in points if point != params):
        name = next(name for name in (*params, *found) if params.get(name) != found.get(name))
        one, other = (_said(name, point) for point in (params, found))
        hint = "consecutive parts that may be absent, repeated or chosen must differ in a field"
        raise _error(f"one network is two points: {one}, and {other}", builder.template.holes[name], file, hint)


def _said(name: str, point: Params) -> str:
    return f"{name} = {point[name]}" if name in point else f"no {name}"


def _error(rule: str, hole: Any, file: str | None, hint: str) -> SpecError:
    return SpecError(rule, place=Place(file, getattr(hole, "line", None), hole.path or hole.name), hint=hint)


def _choices(node: Any, seen: set[int]) -> Iterator[Choice]:
    """Every choice of a template, once for each place."""
    if isinstance(node, Choice):
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            for option in node.options.values():
                yield from _choices(option, seen)
    else:
        for item in node.items if isinstance(node, Many) else items(node):
            yield from _choices(item, seen)


def _can_equal(one: Any, other: Any) -> bool:
    """Whether two template nodes are known to be equal for some answers; chains of variable length are skipped."""
    if isinstance(one, Choice):
        return any(_can_equal(option, other) for option in one.options.values())
    if isinstance(other, Choice | Integer | Float) and not isinstance(one, Integer | Float):
        return _can_equal(other, one)
    if isinstance(one, Of | Many) or isinstance(other, Of | Many):
        return False
    if isinstance(one, Integer | Float):
        return _numbers_meet(one, other)
    if isinstance(one, dict) and isinstance(other, dict):
        return _mappings_meet(one, other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_can_equal, one, other))
    return type(one) is type(other) and bool(one == other)


def _numbers_meet(one: Integer | Float, other: Any) -> bool:
    if not isinstance(other, Integer | Float):
        return isinstance(other, int | float) and one.why_not(other) is None
    if one.domain is None or other.domain is None:
        return max(one.low, other.low) <= min(one.high, other.high)
    few, many = sorted((one, other), key=lambda hole: len(hole.domain or ()))
    return any(many.why_not(value) is None for value in (few.domain or ())[:_MEMBERS])


def _mappings_meet(one: dict[str, Any], other: dict[str, Any]) -> bool:
    if one.get("kind") != other.get("kind"):
        return False
    fields = KINDS[one["kind"]].model_fields if one.get("kind") in KINDS else {}
    for name in one.keys() | other.keys():
        defaults = [fields[name].default if name in fields else None] * 2
        values = [side.get(name, default) for side, default in zip((one, other), defaults, strict=True)]
        if not _can_equal(*values):
            return False
    return True
