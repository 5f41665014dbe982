"""Documents: text to :class:`Network` or step and back, with errors that name file, line and place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError

from inception_search.errors import DocumentError, Place, SchemaVersionError, SpecError, did_you_mean
from inception_search.spec.base_model import SpecModel
from inception_search.spec.dialect import expand_input, in_dialect
from inception_search.spec.document_files import read_text
from inception_search.spec.network import SCHEMA, VERSION, Network, with_source
from inception_search.spec.shorthand import RESERVED, Expander, tidy, with_changed
from inception_search.spec.source_map import KeyPath, RuleError, Source
from inception_search.spec.step import KINDS, STEP, AnyStep
from inception_search.spec.unrolled_size import check_step_size
from inception_search.spec.yaml_reader import MarkedDict, read_yaml

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
UPGRADES: dict[int, Upgrade] = {}  # from version v to v + 1; a document runs through all it needs
T = TypeVar("T")

# What a field takes, where its type alone does not say it.
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


def parse_step(text: str, file: str | None = None) -> AnyStep:
    """The step (a layer or module) that is written in a text.

    Args:
        text: YAML in short or long form; docs/documents.md has the language.
        file: the name of the file that errors mention.

    Returns:
        The step; ``parse_step(to_yaml(step)) == step``.

    Raises:
        DocumentError: the text is no step; the error has the line, and what was expected there.

    >>> conv = ins.parse_step("3x3 64 s2")
    >>> conv.kernel, conv.width, conv.stride
    ((3, 3), 64, 2)
    >>> ins.parse_step("{concat: [1x1 8, [1x1 4, 3x3 8]]}").kind
    'concat'
    """
    return step_from_data(read_yaml(text, file), file)


def step_from_data(data: Any, file: str | None = None) -> AnyStep:
    """A step from plain data in short or long form."""
    long = tidy(Expander(file).step(data, ""))
    step = validated(STEP.validate_python, long, file)
    try:
        check_step_size(step)
    except RuleError as error:
        line = Source(file, lines_of(long)).line(error.place)
        raise SpecError(str(error), place=Place(file, line, show_place(error.place) or None)) from None
    return step


def parse_network(text: str, file: str | None = None, dialect: str | None = None) -> Network:
    """The network written in ``text`` (YAML or JSON), in one of its dialects or (None) as it stands.

    Raises :class:`DocumentError` and its subclasses, with file, line, path, found, expected and hint.
    """
    return network_from_data(read_yaml(text, file), file, dialect)


def network_from_data(data: Any, file: str | None = None, dialect: str | None = None) -> Network:
    """A network from plain data in short or long form, upgraded to the current schema version."""
    current = check_header(data, SCHEMA, VERSION, UPGRADES, file)
    long = expand_network(in_dialect(current, dialect, file), Expander(file))
    return network_from_long(long, file)


def network_from_long(long: MarkedDict, file: str | None = None) -> Network:
    """A network from its expanded long form."""
    long = tidy_network(long)
    network = validated(Network.model_validate, long, file, Network)
    return with_source(network, Source(file, lines_of(long)))


def load_network(path: Path | str, dialect: str | None = None) -> Network:
    """The network document in a file, in one of its dialects or (None) as it stands."""
    return parse_network(read_text(path), str(path), dialect)


def check_header(data: Any, schema: str, version: int, upgrades: Mapping[int, Upgrade], file: str | None) -> Any:
    """``data`` upgraded to ``version``; refuses another schema or a newer version, naming both."""
    where = Place(file, getattr(data, "line", None))
    if not isinstance(data, dict):
        raise DocumentError("not a mapping", place=where, found=data, expected=f"a document with schema: {schema}")
    if (found := data.get("schema")) != schema:
        rule = "unknown schema" if found is not None else "no schema line"
        raise DocumentError(rule, place=where, found=found, hint=f"begin the document with 'schema: {schema}'")
    number = data.get("version")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise SchemaVersionError("no usable version", place=where, found=number, hint=f"write 'version: {version}'")
    if number > version:
        raise SchemaVersionError(
            f"written for version {number} of {schema}; this package reads up to {version}",
            place=where,
            hint="upgrade inception-search",
        )
    for step in range(number, version):
        data = upgrades[step](data)
    return data


def expand_network(data: MarkedDict, expander: Expander) -> MarkedDict:
    """A network document with every step in long form; fields are checked later."""
    out = MarkedDict(data, data.line, data.lines) if isinstance(data, MarkedDict) else MarkedDict(data)
    for section in ("blocks", "stages"):
        if isinstance(steps := out.get(section), dict):
            prefix = "blocks." if section == "blocks" else ""
            lines = getattr(steps, "lines", {})
            out[section] = MarkedDict(
                {k: expander.step(v, f"{prefix}{k}", lines.get(k)) for k, v in steps.items()},
                getattr(steps, "line", None),
                lines,
            )
    blocks = out.get("blocks")
    for name in blocks if isinstance(blocks, dict) else ():
        if name in RESERVED:
            line = getattr(blocks, "lines", {}).get(name)
            raise expander.error("a block cannot have the name of a step", f"blocks.{name}", line, found=name)
    if isinstance(aux := out.get("aux"), dict):
        out["aux"] = MarkedDict({k: expand_aux(k, v, expander) for k, v in aux.items()}, *_marks(aux))
    if isinstance(defaults := out.get("conv_defaults"), dict):
        out["conv_defaults"] = _expand_norm(defaults, expander)
    out["input"] = expand_input(out["input"]) if "input" in out else {}
    return out


def tidy_network(long: MarkedDict) -> MarkedDict:
    """Every step of a long-form network tidied."""
    out = MarkedDict(long, *_marks(long))
    for section in ("blocks", "stages"):
        if isinstance(steps := out.get(section), dict):
            out[section] = MarkedDict({k: tidy(v) for k, v in steps.items()}, *_marks(steps))
    if isinstance(aux := out.get("aux"), dict):
        out["aux"] = MarkedDict({k: with_changed(v, "body", tidy) for k, v in aux.items()}, *_marks(aux))
    return out


def expand_aux(name: str, aux: Any, expander: Expander) -> Any:
    """An auxiliary head with its body in long form."""
    if not isinstance(aux, dict) or "body" not in aux:
        return aux
    line, lines = _marks(aux)
    line = lines.get("body", line)
    return MarkedDict({**aux, "body": expander.step(aux["body"], f"aux.{name}.body", line)}, *_marks(aux))


def _expand_norm(defaults: dict[str, Any], expander: Expander) -> dict[str, Any]:
    if "norm" not in defaults:
        return defaults
    line, lines = _marks(defaults)
    norm = expander.norm(defaults["norm"], "conv_defaults.norm", lines.get("norm", line), network=True)
    return MarkedDict({**defaults, "norm": norm}, line, lines)


def _marks(data: Any) -> tuple[int | None, dict[str, int]]:
    return getattr(data, "line", None), getattr(data, "lines", None) or {}


def lines_of(long: Any) -> dict[KeyPath, int]:
    """The line of every place of expanded data that knows one."""
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
    """A place as people read it: ``mixed_6b.branches.1.0.width`` (``stages`` and ``steps`` go unsaid)."""
    parts = place[1:] if len(place) > 1 and place[0] == "stages" else place
    return ".".join(str(part) for part in parts if part != "steps")


def validated(validate: Callable[[Any], T], long: Any, file: str | None, model: type[SpecModel] | None = None) -> T:
    """``validate(long)`` with pydantic's complaints turned into a :class:`SpecError` with file, line and path.

    ``model`` is the class of the whole document, asked for the fields that an unknown one may stand for.
    """
    try:
        return validate(long)
    except ValidationError as error:
        raise _spec_error(error, long, file, model) from None


def _spec_error(error: ValidationError, long: Any, file: str | None, model: type[SpecModel] | None) -> SpecError:
    """The first of pydantic's complaints in the words and places of the document."""
    details = error.errors(include_url=False)
    places = [_place(detail["loc"], long, missing=detail["type"] == "missing") for detail in details]
    first = next((i for i, detail in enumerate(details) if detail["type"] != "missing"), 0)
    # Of the complaints about the alternatives of one value, the one that got furthest into it.
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
    """A list that is too long or too short: how long it is, and may be."""
    what = str(place[-1]) if place else "entries"
    limit = f"at most {bounds['max_length']}" if many else f"at least {bounds['min_length']}"
    rule = f"too {'many' if many else 'few'} {what}"
    hint = "put a part of it into a block, or a dag inside the dag" if many and what == "nodes" else None
    return {"rule": rule, "found": bounds.get("actual_length"), "expected": limit, "hint": hint}


def _place(loc: tuple[str | int, ...], long: Any, missing: bool) -> KeyPath:
    """pydantic's location without the union tags it inserts; ``missing``: its end names a field not there."""
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
    """The kind that a mapping says it is of; empty where it says none."""
    kind = value.get("kind") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) else ""


def field_names(model: Any) -> list[str]:
    """The names a document uses for the fields of ``model``."""
    return [info.alias or name for name, info in getattr(model, "model_fields", {}).items()]


def model_inside(model: Any, part: str | int) -> Any:
    """The annotation of what is called ``part`` inside a value of type ``model``; None when there is none."""
    fields = getattr(model, "model_fields", None)
    if fields is None:
        args = get_args(model)
        origin = get_origin(model)
        return args[-1] if origin is dict else args[0] if origin is tuple else None
    inner = fields[part].annotation if part in fields else None
    if get_origin(inner) in (Union, UnionType):
        return next((arg for arg in get_args(inner) if hasattr(arg, "model_fields")), None)
    return inner
