"""Read the numbers of a template: ``$int``, ``$float`` and ``$many`` ranges, weights and ``$of`` expressions."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from inception_search.errors import did_you_mean
from inception_search.space.holes import Float, Integer, Of
from inception_search.spec.documents.yaml_reader import MarkedDict

_OF = re.compile(r"(?:([1-9][0-9]{0,3})\*)?([a-z][a-z0-9_]{0,63})(?:/([1-9][0-9]{0,3}))?\Z")
MAX_MEMBERS = 10_000  # values of a stepped float range
MAX_WEIGHT = 1e100  # so that the sum of weights is finite


class RangeError(ValueError):
    """A mistake in the numbers of a hole; ``facts`` are those of a :class:`~inception_search.errors.SpecError`."""

    def __init__(self, rule: str, **facts: Any) -> None:
        super().__init__(rule)
        self.rule, self.facts = rule, facts


def integer(name: str, raw: dict[str, Any], path: str) -> Integer:
    """The hole of ``{$int: [low, high, step]}``, optionally with ``$log``."""
    found = _numbers(raw["$int"], (int,), (2, 3))
    low, high, step = (*found, 1)[:3]
    log = raw.get("$log") is True
    if low > high or step < 1 or (high - low) % step or (log and (low < 1 or step != 1)):
        expected = "[low, high, step] with low <= high and high on the steps; $log needs low >= 1 and no step"
        raise RangeError("a range without members", found=list(found), expected=expected)
    return Integer(name, low, high, step, log, path)


def real(name: str, raw: dict[str, Any], path: str) -> Float:
    """The hole of ``{$float: [low, high, step]}``, optionally with ``$log``."""
    found = _numbers(raw["$float"], (int, float), (2, 3))
    low, high = found[0], found[1]
    log = raw.get("$log") is True
    if not low < high or high - low == math.inf or (log and low <= 0):
        raise RangeError("a range without members", found=raw["$float"], expected="[low, high], low < high")
    if len(found) == 2:
        return Float(name, float(low), float(high), log, path)
    step = found[2]
    count = (high - low) / step if step > 0 else math.inf
    if log or count > MAX_MEMBERS or abs(count - round(count)) > 1e-6:
        expected = f"[low, high, step] with high on the steps, at most {MAX_MEMBERS} of them, and no $log"
        raise RangeError("a range without members", found=raw["$float"], expected=expected)
    return Float(name, float(low), float(high), False, path, float(step))


def counts(raw: Any, most: int) -> tuple[int, int]:
    """The ``[low, high]`` of ``$many``."""
    low, high = _numbers(raw, (int,), (2,))
    if not 0 <= low <= high <= most or high == 0:
        expected = f"[low, high] with 0 <= low <= high, high from 1 to {most}"
        raise RangeError("a range without members", found=[low, high], expected=expected)
    return low, high


def weights(raw: Any, labels: Iterable[str]) -> tuple[float, ...] | None:
    """The ``$weights`` of a choice, a positive number for every label."""
    if raw is None:
        return None
    labels = tuple(labels)
    expected = f"a positive number for each of {', '.join(labels)}"
    if not isinstance(raw, dict):
        raise RangeError("weights are given by label", found=raw, expected=expected)
    if set(raw) != set(labels):
        odd = sorted(set(raw) - set(labels) or set(labels) - set(raw))[0]
        hint = None if odd in labels else did_you_mean(odd, labels)
        rule = f"{odd!r} has no weight" if odd in labels else f"{odd!r} is no option of the choice"
        raise RangeError(rule, found=", ".join(raw), expected=expected, hint=hint)
    for value in raw.values():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_WEIGHT:
            raise RangeError("not a weight", found=value, expected=expected)
    return tuple(float(raw[label]) for label in labels)


def expression(raw: Any) -> Of:
    """``c``, ``2*c``, ``c/4``, ``3*c/2``; ``in`` instead of c means the input channels."""
    match = _OF.match(raw) if isinstance(raw, str) else None
    if match is None:
        expected = "c, 2*c, in/4 or 3*c/2, where c is the $name of an integer, and in means the input channels"
        raise RangeError("not an expression", found=raw, expected=expected)
    return Of(match[2], int(match[1] or 1), int(match[3] or 1))


def _numbers(raw: Any, kinds: tuple[type, ...], lengths: tuple[int, ...]) -> tuple[Any, ...]:
    fits = isinstance(raw, list) and len(raw) in lengths
    if not fits or any(isinstance(n, bool) or not isinstance(n, kinds) for n in raw):
        raise RangeError("not a range", found=raw, expected="[low, high] or [low, high, step]")
    return tuple(raw)


def is_one_hole(raw: Any) -> bool:
    """Whether an entry of ``define`` is a number, or a choice of plain values, without a name of its own."""
    if not isinstance(raw, dict) or "$name" in raw or not ("$int" in raw or "$float" in raw or "$choice" in raw):
        return False
    choice = raw.get("$choice", ())
    return not any(isinstance(each, dict | list) for each in (choice.values() if isinstance(choice, dict) else choice))


def named(raw: dict[str, Any], name: Any, line: int | None) -> dict[str, Any]:
    """The hole ``raw`` with this ``$name``, as if it were written on ``line``."""
    return MarkedDict({**raw, "$name": name}, line, getattr(raw, "lines", None))
