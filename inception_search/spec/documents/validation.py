"""Validation of documents: pydantic's errors as errors with file, line, path and expected values."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError

from inception_search.errors import Place, SpecError, did_you_mean
from inception_search.spec.base_model import SpecModel
from inception_search.spec.source_map import KeyPath, RuleError, Source
from inception_search.spec.step import KINDS

T = TypeVar("T")
# The accepted forms of fields whose type alone does not show them.
EXPECTED = {
    "kernel": "7x7, 7 or [7, 7]",
    "size": "4x4, 4 or [4, 4]",
    "padding": "same, valid, tf, 1, 1x2 or [1, 2] (height, width)",
    "stride": "2, 2x1 or [2, 1] (height, width)",
    "dilation": "2, 2x1 or [2, 1] (height, width)",
    "input": "3x299x299 or [3, 299, 299]",
    "norm": "none, batch or {eps: 0.001, momentum: 0.1, gamma: true}",
    "hidden": "a list of widths: [1024]",
}
NAME = "a name of lower-case letters, digits and _, beginning with a letter"


def lines_of(long: Any) -> dict[KeyPath, int]:
    """The lines of expanded data by path, where known."""
    lines: dict[KeyPath, int] = {}
    stack: list[tuple[KeyPath, Any]] = [((), long)]
    while stack:
        place, value = stack.pop()
        if isinstance(value, dict):
            own = getattr(value, "line", None)
            if own is not None:
                lines.setdefault(place, own)
            marks = getattr(value, "lines", None) or {}
            for key, item in value.items():
                if key in marks:
                    lines[(*place, key)] = marks[key]
                stack.append(((*place, key), item))
        elif isinstance(value, list):
            lines |= {(*place, index): mark for index, mark in enumerate(getattr(value, "lines", ())) if mark}
            stack.extend(((*place, index), item) for index, item in enumerate(value))
    return lines


def show_place(place: KeyPath) -> str:
    """A path as people read it: ``mixed_6b.branches.1.0.width`` (without ``stages`` and ``steps``)."""
    parts = place[1:] if len(place) > 1 and place[0] == "stages" else place
    return ".".join(str(part) for part in parts if part != "steps")


def validated(validate: Callable[[Any], T], long: Any, file: str | None, model: type[SpecModel] | None = None) -> T:
    """``validate(long)``, with pydantic's errors turned into a :class:`SpecError` with file, line and path.

    ``model`` is the class of the whole document; its fields are suggested for an unknown one.
    """
    try:
        return validate(long)
    except ValidationError as error:
        raise _spec_error(error, long, file, model) from None


def _spec_error(error: ValidationError, long: Any, file: str | None, model: type[SpecModel] | None) -> SpecError:
    """The first error of pydantic, with the wording and the path of the document."""
    details = error.errors(include_url=False)
    places = [_place(detail["loc"], long, missing=detail["type"] == "missing") for detail in details]
    first = next((i for i, detail in enumerate(details) if detail["type"] != "missing"), 0)
    # A union has an error for each alternative: take the one that got furthest into the value.
    inside = [i for i, other in enumerate(places) if other[: len(places[first])] == places[first]]
    first = max(inside, key=lambda i: len(places[i]))
    place, detail = places[first], details[first]
    others = {other for other in places if other != place[: len(other)]}
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, RuleError):
        place = (*place, *cause.place)
    facts = _facts(detail, place, long, model)
    if others:
        facts["rule"] += f" (and {len(others)} more to correct)"
    line = Source(file, lines_of(long)).line(place)
    return SpecError(**facts, place=Place(file, line, show_place(place) or None))


def _facts(detail: Any, place: KeyPath, long: Any, model: type[SpecModel] | None) -> dict[str, Any]:
    kind, message, found = detail["type"], detail["msg"], detail["input"]
    if kind == "extra_forbidden":
        known = _known_fields(place, long, model)
        expected = f"one of {', '.join(known)}" if known else None
        hint = did_you_mean(str(place[-1]), known)
        return {"rule": "unknown field", "found": place[-1], "expected": expected, "hint": hint}
    if kind == "missing":
        return {"rule": f"field {place[-1]!r} is missing"}
    if kind == "value_error":
        return {"rule": message.removeprefix("Value error, ")}
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return {"rule": "not a step", "found": found, "expected": f"kind: {', '.join(KINDS)}"}
    if kind in ("too_short", "too_long"):
        return _miscounted(detail["ctx"], place, kind == "too_long")
    expected = message.replace("Input should be ", "").replace("a valid ", "a ")
    for python, plain in (("a integer", "an integer"), ("a tuple", "a list"), ("a boolean", "true or false")):
        expected = expected.replace(python, plain)
    if kind == "string_pattern_mismatch":
        lower = detail["ctx"]["pattern"].startswith("^[a-z]")
        expected = NAME if lower else "a name of letters, digits, _ . @ and -"
    elif kind in ("model_type", "model_attributes_type", "dict_type"):
        expected = "fields, {name: value, ...}"
    if kind not in ("greater_than_equal", "less_than_equal") and place and isinstance(place[-1], str):
        expected = EXPECTED.get(place[-1], expected)
    hint = did_you_mean(found, re.findall(r"'(\w+)'", expected)) if isinstance(found, str) else None
    return {"rule": "not a usable value", "found": found, "expected": expected, "hint": hint}


def _miscounted(bounds: Any, place: KeyPath, many: bool) -> dict[str, Any]:
    """The facts about a list that is too long or too short: its length and the limit."""
    what = str(place[-1]) if place else "entries"
    limit = f"at most {bounds['max_length']}" if many else f"at least {bounds['min_length']}"
    rule = f"too {'many' if many else 'few'} {what}"
    hint = "put a part of it into a block, or a dag inside the dag" if many and what == "nodes" else None
    return {"rule": rule, "found": bounds.get("actual_length"), "expected": limit, "hint": hint}


def _place(loc: tuple[str | int, ...], long: Any, missing: bool) -> KeyPath:
    """pydantic's location without its union tags; ``missing``: the last part is a field that does not exist."""
    place: list[str | int] = []
    value: Any = long
    for depth, part in enumerate(loc):
        if _has(value, part):
            place.append(part)
            value = value[part]
        elif missing and depth == len(loc) - 1:
            place.append(part)
    return tuple(place)


def _has(container: Any, part: str | int) -> bool:
    if isinstance(container, list | tuple):
        return isinstance(part, int) and part < len(container)
    return isinstance(container, dict) and part in container


def _known_fields(place: KeyPath, long: Any, model: Any) -> list[str]:
    """The fields of the value that holds the unknown one."""
    value: Any = long
    for part in place[:-1]:
        value, model = value[part], model_inside(model, part)
        model = KINDS.get(_kind(value), model)
    if (kind := _kind(value)) in KINDS:
        return [name for name in KINDS[kind].model_fields if name != "kind"]
    return field_names(model)


def _kind(value: Any) -> str:
    """The kind of a step that is a mapping; empty if it has none."""
    kind = value.get("kind") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) else ""


def field_names(model: Any) -> list[str]:
    """The names a document uses for the fields of ``model``."""
    return [info.alias or name for name, info in getattr(model, "model_fields", {}).items()]


def model_inside(model: Any, part: str | int) -> Any:
    """The annotation of the field or item ``part`` of a value of type ``model``; None if there is none."""
    fields = getattr(model, "model_fields", None)
    if fields is None:
        args = get_args(model)
        origin = get_origin(model)
        return args[-1] if origin is dict else args[0] if origin is tuple else None
    inner = fields[part].annotation if part in fields else None
    if get_origin(inner) in (Union, UnionType):
        return next((arg for arg in get_args(inner) if hasattr(arg, "model_fields")), None)
    return inner
