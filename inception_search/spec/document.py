"""Documents: text to :class:`Network` or step and back, with errors that name file, line and place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from inception_search.errors import DocumentError, SchemaVersionError, SpecError, did_you_mean
from inception_search.errors import Place as Where
from inception_search.spec.network import SCHEMA, VERSION, Aux, Head, Network, Source, with_source
from inception_search.spec.network import Place as Path_
from inception_search.spec.shorthand import RESERVED, Expander, tidy
from inception_search.spec.step import KINDS, STEP, AnyStep
from inception_search.spec.yaml_reader import MarkedDict, read_yaml

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
UPGRADES: dict[int, Upgrade] = {}  # from version v to v + 1; a document runs through all it needs
T = TypeVar("T")


def parse(text: str, file: str | None = None) -> AnyStep:
    """The step written in ``text`` (YAML; short or long form). ``parse(text(step)) == step``."""
    return step_from_data(read_yaml(text, file), file)


def step_from_data(data: Any, file: str | None = None) -> AnyStep:
    """A step from plain data in short or long form."""
    long = tidy(Expander(file).step(data, ""))
    return validated(STEP.validate_python, long, file)


def parse_network(text: str, file: str | None = None) -> Network:
    """The network written in ``text`` (YAML or JSON).

    Raises :class:`DocumentError` and its subclasses, with file, line, path, found, expected and mend.
    """
    return network_from_data(read_yaml(text, file), file)


def network_from_data(data: Any, file: str | None = None) -> Network:
    """A network from plain data in short or long form, upgraded to the current schema version."""
    long = expand_network(check_header(data, SCHEMA, VERSION, UPGRADES, file), Expander(file))
    return network_from_long(long, file)


def network_from_long(long: MarkedDict, file: str | None = None) -> Network:
    """A network from its expanded long form."""
    long = tidy_network(long)
    network = validated(Network.model_validate, long, file)
    return with_source(network, Source(file, lines_of(long)))


def load_network(path: Path | str) -> Network:
    """The network document in a file."""
    return parse_network(read_text(path), str(path))


def read_text(path: Path | str) -> str:
    """The text of a document file; a :class:`DocumentError` when it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DocumentError("no such file", place=Where(str(path)), mend="check the path") from None
    except IsADirectoryError:
        raise DocumentError("a folder, not a document", place=Where(str(path))) from None
    except UnicodeDecodeError as error:
        raise DocumentError(f"not UTF-8 text (byte {error.start})", place=Where(str(path))) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DocumentError(f"cannot be read: {reason}", place=Where(str(path))) from None


def check_header(data: Any, schema: str, version: int, upgrades: Mapping[int, Upgrade], file: str | None) -> Any:
    """``data`` upgraded to ``version``; refuses another schema or a newer version, naming both."""
    where = Where(file, getattr(data, "line", None))
    if not isinstance(data, dict):
        raise DocumentError("not a mapping", place=where, found=data, expected=f"a document with schema: {schema}")
    if (found := data.get("schema")) != schema:
        rule = "unknown schema" if found is not None else "no schema line"
        raise DocumentError(rule, place=where, found=found, mend=f"begin the document with 'schema: {schema}'")
    number = data.get("version")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise SchemaVersionError("no usable version", place=where, found=number, mend=f"write 'version: {version}'")
    if number > version:
        raise SchemaVersionError(
            f"written for version {number} of {schema}; this package reads up to {version}",
            place=where,
            mend="upgrade inception-search",
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
    for name in out.get("blocks") or ():
        if name in RESERVED:
            line = getattr(out["blocks"], "lines", {}).get(name)
            raise expander.error("a block cannot have the name of a step", f"blocks.{name}", line, found=name)
    if isinstance(aux := out.get("aux"), dict):
        out["aux"] = MarkedDict({k: _expand_aux(k, v, expander) for k, v in aux.items()}, *_marks(aux))
    if isinstance(defaults := out.get("conv_defaults"), dict):
        out["conv_defaults"] = _expand_norm(defaults)
    out["input"] = _expand_input(out["input"]) if "input" in out else {}
    return out


def tidy_network(long: MarkedDict) -> MarkedDict:
    """Every step of a long-form network tidied."""
    out = MarkedDict(long, *_marks(long))
    for section in ("blocks", "stages"):
        if isinstance(steps := out.get(section), dict):
            out[section] = MarkedDict({k: tidy(v) for k, v in steps.items()}, *_marks(steps))
    if isinstance(aux := out.get("aux"), dict):
        bodies = {
            k: {**v, "body": tidy(v["body"])} if isinstance(v, dict) and "body" in v else v for k, v in aux.items()
        }
        out["aux"] = MarkedDict(bodies, *_marks(aux))
    return out


def _expand_aux(name: str, aux: Any, expander: Expander) -> Any:
    if not isinstance(aux, dict) or "body" not in aux:
        return aux
    line = getattr(aux, "line", None)
    return MarkedDict({**aux, "body": expander.step(aux["body"], f"aux.{name}.body", line)}, *_marks(aux))


def _expand_norm(defaults: dict[str, Any]) -> dict[str, Any]:
    """``norm: none`` and ``norm: batch`` in full."""
    norm = defaults.get("norm")
    if norm == "none":
        return MarkedDict({**defaults, "norm": None}, *_marks(defaults))
    if norm == "batch":
        return MarkedDict({**defaults, "norm": {}}, *_marks(defaults))
    return defaults


def _expand_input(item: Any) -> Any:
    """``3x299x299`` and ``[3, 299, 299]`` as fields."""
    parts = item.split("x") if isinstance(item, str) else item
    if isinstance(parts, list) and len(parts) == 3:
        numbers = [int(p) if isinstance(p, str) and p.isdecimal() and len(p) < 9 else p for p in parts]
        return dict(zip(("channels", "height", "width"), numbers, strict=True))
    return item


def _marks(data: Any) -> tuple[int | None, dict[str, int]]:
    return getattr(data, "line", None), getattr(data, "lines", None) or {}


def lines_of(long: Any) -> dict[Path_, int]:
    """The line of every place of expanded data that knows one."""
    lines: dict[Path_, int] = {}
    stack: list[tuple[Path_, Any]] = [((), long)]
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
            stack.extend(((*place, index), item) for index, item in enumerate(value))
    return lines


def show_place(place: Path_) -> str:
    """A place as people read it: ``mixed_6b.branches.1.0.width`` (``stages`` and ``steps`` go unsaid)."""
    parts = place[1:] if place and place[0] == "stages" else place
    return ".".join(str(part) for part in parts if part != "steps")


def validated(validate: Callable[[Any], T], long: Any, file: str | None) -> T:
    """``validate(long)`` with pydantic's complaints turned into a :class:`SpecError` with file, line and path."""
    try:
        return validate(long)
    except ValidationError as error:
        raise _spec_error(error, long, file) from None


def _spec_error(error: ValidationError, long: Any, file: str | None) -> SpecError:
    """The first of pydantic's complaints in the words and places of the document."""
    details = error.errors(include_url=False, include_context=False)
    first = next((d for d in details if d["type"] != "missing"), details[0])
    place = _place(first["loc"], long, missing=first["type"] == "missing")
    line = Source(file, lines_of(long)).line(place)
    more = f" (and {len(details) - 1} more like it)" if len(details) > 1 else ""
    return SpecError(**_facts(first, place, long, more), place=Where(file, line, show_place(place) or None))


def _facts(detail: Any, place: Path_, long: Any, more: str) -> dict[str, Any]:
    kind, message = detail["type"], detail["msg"]
    if kind == "extra_forbidden":
        known = _known_fields(place, long)
        expected = f"one of {', '.join(known)}" if known else None
        mend = did_you_mean(str(place[-1]), known)
        return {"rule": f"unknown field{more}", "found": place[-1], "expected": expected, "mend": mend}
    if kind == "missing":
        return {"rule": f"field {place[-1]!r} is missing{more}"}
    if kind == "value_error":
        return {"rule": message.removeprefix("Value error, ") + more}
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return {
            "rule": f"not a step{more}",
            "found": detail["input"],
            "expected": f"kind: {', '.join(KINDS)}",
        }
    expected = message.replace("Input should be ", "").replace("a valid integer", "an integer")
    return {"rule": f"not a usable value{more}", "found": detail["input"], "expected": expected}


def _place(loc: tuple[str | int, ...], long: Any, missing: bool) -> Path_:
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


def _known_fields(place: Path_, long: Any) -> list[str]:
    """The fields of the value that holds the unknown one."""
    value: Any = long
    for part in place[:-1]:
        value = value[part]
    if isinstance(value, dict) and value.get("kind") in KINDS:
        return [name for name in KINDS[value["kind"]].model_fields if name != "kind"]
    sections: dict[str, Any] = {"head": Head, "aux": Aux}
    model: Any = Network
    if place[:-1]:
        model = sections.get(str(place[0])) or Network.model_fields[str(place[0])].annotation
    fields = getattr(model, "model_fields", {})
    return [info.alias or name for name, info in fields.items()]
