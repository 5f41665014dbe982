"""Options that a person writes: a class for each group of them, with types, defaults and meanings in one place."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from itertools import pairwise
from textwrap import dedent
from typing import Annotated, Any, TypeAlias, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from inception_search.errors import ConfigError, did_you_mean
from inception_search.numbers import EXAMPLES, number, spelling, whole

Whole: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=10**15)]
Positive: TypeAlias = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Probability: TypeAlias = Annotated[float, Field(strict=True, ge=0, le=1)]


class Options(BaseModel):
    """Options whose numbers may be written as people do: ``10M``, ``1e7``, ``10_000_000``, ``"10,000,000"``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _numbers(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        read: dict[Any, Callable[[Any], Any]] = {int: whole, float: number, None: lambda value: value}
        kinds = {name: number_kind(field.annotation) for name, field in cls.model_fields.items()}
        return {name: read[kinds.get(name)](value) for name, value in data.items()}


Group = TypeVar("Group", bound=Options)


def read_options(kind: type[Group], given: Mapping[str, Any], *, owner: str, path: str) -> Group:
    """The options in ``given``, checked.

    Args:
        kind: the class of the options.
        given: values by name.
        owner: whose options they are, for errors: ``strategy evolution``.
        path: the option of the study that holds them, for errors: ``strategy_options``.

    Raises:
        ConfigError: an option that ``owner`` does not have, or a value that it cannot use.
    """
    try:
        return kind.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    where = f"{path}.{name}" if name else path
    if first["type"] == "extra_forbidden":
        raise unknown_option(owner, name, kind.model_fields, path=path)
    text = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    text = text.replace("a valid integer", "a whole number").replace("a valid string", "a text")
    found = first["input"] if name else dict(given)
    raise ConfigError(
        f"not a usable option of {owner}", path=where, found=found, expected=text, mend=number_hint(first)
    )


def unknown_option(owner: str, name: str, known: Mapping[str, Any], *, path: str) -> ConfigError:
    """The error of an option that ``owner`` does not have; it lists those that it has, and names the nearest."""
    expected = f"one of {', '.join(known)}" if known else "no options"
    return ConfigError(
        f"{owner} has no such option",
        path=f"{path}.{name}",
        found=name,
        expected=expected,
        mend=did_you_mean(name, known),
    )


def meanings(kind: type[BaseModel]) -> dict[str, str]:
    """What each option of a class means: the text below it. Read here, not at each import, which it would slow."""
    found: dict[str, str] = {}
    for each in reversed([base for base in kind.__mro__ if issubclass(base, BaseModel) and base is not BaseModel]):
        body = ast.parse(dedent(inspect.getsource(each))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, text in pairwise(body.body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
                assert isinstance(text.value, ast.Constant)
                found[field.target.id] = " ".join(str(text.value.value).replace("``", "`").split())
    return found


def number_kind(annotation: Any) -> type[int] | type[float] | None:
    """Whether an option is a whole number, a number or neither, by its annotation."""
    parts = {annotation, *get_args(annotation)}
    kinds = parts | {get_args(part)[0] for part in parts if get_args(part)}
    return int if int in kinds else float if float in kinds else None


def number_hint(error: Any) -> str | None:
    """How a number should have been written, from pydantic's complaint about it."""
    if error["type"] not in ("int_type", "float_type") or not isinstance(error["input"], str):
        return None
    return spelling(error["input"]) or f"numbers are written {EXAMPLES}"
