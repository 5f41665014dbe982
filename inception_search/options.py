"""Classes of user options, with types, defaults and descriptions in one place.

An option is a field with a docstring below it. Errors, the JSON Schema, the flags of the command line and the tables
in the documentation are generated from it. A field whose type is a class of options is a group: its options may be
written alone (``epochs: 8``) or in the group (``training: {epochs: 8}``).
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral, Real
from pathlib import Path
from textwrap import dedent
from typing import Annotated, Any, TypeAlias, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

from inception_search.errors import ConfigError, did_you_mean
from inception_search.numbers import EXAMPLES, number, spelling, whole

Whole: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=10**15)]
Positive: TypeAlias = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
NotNegative: TypeAlias = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Probability: TypeAlias = Annotated[float, Field(strict=True, ge=0, le=1)]
Share: TypeAlias = Annotated[float, Field(strict=True, ge=0, lt=1)]
Factor: TypeAlias = Annotated[float, Field(strict=True, gt=0, le=8)]
OPEN: Any = None
"""The default of an option that is :class:`Open`."""


@dataclass(frozen=True)
class Open:
    """Marks an option that may be None until the values that it depends on are known.

    Code that uses the options sets a value first, so the type of the option does not include None.
    """

    default: Any = None
    """The value if nothing else decides."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.nullable_schema(handler(source))


@dataclass(frozen=True)
class Keyword:
    """The types that a Python keyword argument accepts, if these are more than the type of the option."""

    types: str


PathName: TypeAlias = Annotated[
    str,
    Field(min_length=1),
    BeforeValidator(lambda v: str(v) if isinstance(v, Path) else v),
    Keyword("str | Path"),
]


class Options(BaseModel):
    """Options whose numbers may be written as people do: ``10M``, ``1e7``, ``10_000_000``, ``"10,000,000"``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _as_written(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return grouped(cls, {name: _number(cls, name, value) for name, value in flat(cls, data).items()})


def _number(kind: type[BaseModel], name: Any, value: Any) -> Any:
    read: dict[Any, Callable[[Any], Any]] = {int: whole, float: number, None: lambda value: value}
    field = kind.model_fields.get(name)
    sort = number_kind(field.annotation) if field else None
    if sort and isinstance(value, Real) and not isinstance(value, bool | int | float):
        value = int(value) if isinstance(value, Integral) else float(value)  # numpy's
    return read[sort](value)


def groups(kind: type[BaseModel]) -> dict[str, type[Options]]:
    """The groups of a class of options: field name to class of the group."""
    found = {name: field.annotation for name, field in kind.model_fields.items()}
    return {name: each for name, each in found.items() if isinstance(each, type) and issubclass(each, Options)}


def option_fields(kind: type[BaseModel]) -> dict[str, FieldInfo]:
    """Every option of a class by name; the options of a group replace the group.

    >>> from inception_search.study.config import StudyConfig
    >>> option_fields(StudyConfig)["epochs"].default
    8
    """
    found: dict[str, FieldInfo] = {}
    for name, field in kind.model_fields.items():
        group = groups(kind).get(name)
        found |= option_fields(group) if group else {name: field}
    return found


def option_schemas(kind: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """The JSON Schema of every option of a class by name, including the options of groups."""
    found: dict[str, dict[str, Any]] = {}
    for name, schema in kind.model_json_schema()["properties"].items():
        group = groups(kind).get(name)
        found |= option_schemas(group) if group else {name: schema}
    return found


def flat(kind: type[BaseModel], given: Mapping[Any, Any]) -> dict[Any, Any]:
    """Options by their own names, whether each was written alone or in its group.

    Args:
        kind: the class of the options.
        given: values by name; those of groups are mappings, or options already checked.

    Raises:
        ConfigError: a group that is not a mapping or lacks the option, or an option that is written twice.
    """
    own = groups(kind)
    found = {name: value for name, value in given.items() if name not in own}
    for group, options in own.items():
        inside = given.get(group, {})
        if isinstance(inside, options):
            inside = dict(inside)
        if not isinstance(inside, Mapping):
            expected = f"a mapping of options: {', '.join(options.model_fields)}"
            raise ConfigError("not a group of options", path=group, found=inside, expected=expected)
        for name, value in inside.items():
            if name not in options.model_fields:
                raise unknown_option(f"the group {group}", str(name), options.model_fields, path=group)
            if name in found:
                hint = f"leave out {name} or {group}.{name}"
                raise ConfigError("the option is written twice", path=name, found=found[name], hint=hint)
            found[name] = value
    return found


def grouped(kind: type[BaseModel], options: Mapping[Any, Any]) -> dict[Any, Any]:
    """The inverse of :func:`flat`: options of groups in their groups."""
    found = dict(options)
    for group, own in groups(kind).items():
        found[group] = {name: found.pop(name) for name in own.model_fields if name in found}
    return found


Group = TypeVar("Group", bound=Options)


def read_options(kind: type[Group], given: Mapping[str, Any], *, owner: str, path: str) -> Group:
    """The options in ``given``, checked.

    Args:
        kind: the class of the options.
        given: values by name.
        owner: the owner of the options, for errors: ``strategy evolution``.
        path: the option of the study that holds them, for errors: ``strategy_options``.

    Raises:
        ConfigError: an option that ``owner`` does not have, or a value that it cannot use.
    """
    try:
        return kind.model_validate(dict(given))
    except ValidationError as error:
        raise option_error(error, kind, owner=owner, path=path) from None


def option_error(error: ValidationError, kind: type[BaseModel], *, owner: str = "", path: str = "") -> ConfigError:
    """The first error that pydantic found, as a :class:`ConfigError` that names the option.

    Args:
        error: the error of pydantic.
        kind: the class of the options.
        owner: the owner of the options; empty for those of the command or function itself.
        path: the option that holds them, if any.
    """
    first = error.errors(include_url=False)[0]
    own = groups(kind)
    name = next((str(part) for part in first["loc"] if part not in own), "")
    if first["type"] == "extra_forbidden":
        return unknown_option(owner, name, option_fields(kind), path=path)
    text = _expected(first, number_kind(field.annotation) if (field := option_fields(kind).get(name)) else None)
    choices = re.findall("'([^']+)'", text) if first["type"] == "literal_error" else []
    return ConfigError(
        f"not a usable option of {owner}" if owner else "not a usable value",
        path=".".join(part for part in (path, name) if part),
        found=first["input"],
        expected=text,
        hint=did_you_mean(first["input"], choices) if choices else number_hint(first),
    )


def unknown_option(owner: str, name: str, known: Mapping[str, Any], *, path: str) -> ConfigError:
    """The error for an option that ``owner`` does not have; it lists the options and suggests the nearest."""
    return ConfigError(
        f"{owner} has no such option" if owner else "unknown option",
        path=f"{path}.{name}" if path else name,
        found=name,
        expected=f"one of {', '.join(known)}" if known else "no options",
        hint=did_you_mean(name, known),
    )


_WORDS = {"a valid integer": "a whole number", "a valid string": "a text", "a valid dictionary": "a mapping"}


_BOUNDS = {
    "greater_than_equal": ("ge", "of at least"),
    "greater_than": ("gt", "above"),
    "less_than_equal": ("le", "of at most"),
    "less_than": ("lt", "below"),
}


def _expected(error: Any, kind: type | None) -> str:
    """What pydantic expected, in the wording of this package; ``kind`` is the option's number type."""
    if error["type"] == "string_too_short":
        return "a text that is not empty"
    if error["type"] in _BOUNDS:
        bound, words = _BOUNDS[error["type"]]
        return f"a {'whole ' if kind is int else ''}number {words} {whole(error['ctx'][bound]):,}"
    text: str = error["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    for theirs, ours in _WORDS.items():
        text = text.replace(theirs, ours)
    return text


def meanings(kind: type[BaseModel]) -> dict[str, str]:
    """The description of each option of a class: its docstring. Read on demand, since it would slow every import."""
    found: dict[str, str] = {}
    for each in reversed([base for base in kind.__mro__ if issubclass(base, BaseModel) and base is not BaseModel]):
        body = ast.parse(dedent(inspect.getsource(each))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, text in pairwise(body.body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
                assert isinstance(text.value, ast.Constant)
                found[field.target.id] = " ".join(str(text.value.value).replace("``", "`").split())
    for group in groups(kind).values():
        found |= meanings(group)
    return found


def number_kind(annotation: Any) -> type[int] | type[float] | None:
    """The number type in the annotation of an option: int, float, or None if it is not a number."""
    parts = {annotation, *get_args(annotation)}
    kinds = parts | {get_args(part)[0] for part in parts if get_args(part)}
    return int if int in kinds else float if float in kinds else None


def number_hint(error: Any) -> str | None:
    """A hint on how to write a number that pydantic refused; None if it is no number."""
    if error["type"] not in ("int_type", "float_type") or not isinstance(error["input"], str):
        return None
    return spelling(error["input"]) or f"numbers are written {EXAMPLES}"
