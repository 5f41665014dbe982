"""Parse documents into a :class:`Network` or a step; errors name file, line and path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from inception_search.errors import DocumentError, Place, SchemaVersionError, SpecError
from inception_search.spec.documents.dialect import expand_input, in_dialect
from inception_search.spec.documents.files import read_text
from inception_search.spec.documents.shorthand import RESERVED, Expander, tidy, with_changed
from inception_search.spec.documents.validation import lines_of, show_place, validated
from inception_search.spec.documents.yaml_reader import MarkedDict, read_yaml
from inception_search.spec.network import SCHEMA, VERSION, Network, with_source
from inception_search.spec.source_map import RuleError, Source
from inception_search.spec.step import STEP, AnyStep
from inception_search.spec.unrolled_size import check_step_size

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
UPGRADES: dict[int, Upgrade] = {}  # version v -> function that upgrades a document to v + 1


def parse_step(text: str, file: str | None = None) -> AnyStep:
    """Parse a step, which is a layer or module, from YAML.

    Args:
        text: YAML in short or long form; docs/documents.md describes the language.
        file: the file name for error messages.

    Returns:
        The step; ``parse_step(to_yaml(step)) == step``.

    Raises:
        DocumentError: the text is not a step; the error has the line, and what was expected there.

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
    """The network written in ``text`` (YAML or JSON), in ``dialect`` if one is given.

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
    """The network of a document file, in ``dialect`` if one is given."""
    return parse_network(read_text(path), str(path), dialect)


def check_header(data: Any, schema: str, version: int, upgrades: Mapping[int, Upgrade], file: str | None) -> Any:
    """``data`` upgraded to ``version``; raises for another schema or a newer version."""
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
    """A long-form network with every step tidied."""
    out = MarkedDict(long, *_marks(long))
    for section in ("blocks", "stages"):
        if isinstance(steps := out.get(section), dict):
            out[section] = MarkedDict({k: tidy(v) for k, v in steps.items()}, *_marks(steps))
    if isinstance(aux := out.get("aux"), dict):
        out["aux"] = MarkedDict({k: with_changed(v, "body", tidy) for k, v in aux.items()}, *_marks(aux))
    return out


def expand_aux(name: str, aux: Any, expander: Expander) -> Any:
    """An auxiliary classifier with its body in long form."""
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
