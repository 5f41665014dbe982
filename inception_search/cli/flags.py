"""Flags of verbs that come from an options class; read from a table, because importing the classes is slow.

``python docs/refresh.py`` writes the table, ``flags.json``, from the classes: a new option becomes a flag.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from inception_search.cli.naming import (
    Complete,
    complete_data,
    complete_device,
    complete_objectives,
    complete_space,
    complete_strategy,
    one_of,
)
from inception_search.cli.shared_options import integer, real

TABLE = Path(__file__).with_name("flags.json")
# TAB completions for options whose values are not a fixed list of words.
COMPLETE: dict[str, Complete] = {
    "space": complete_space,
    "data": complete_data,
    "objectives": complete_objectives,
    "strategy": complete_strategy,
    "device": complete_device,
}

Verb = TypeVar("Verb", bound=Callable[..., Any])


def with_flags(name: str) -> Callable[[Verb], Verb]:
    """Give a verb that takes ``**flags`` the flags of the table ``name``; omitted flags are None."""

    def decorate(verb: Verb) -> Verb:
        signature = inspect.signature(verb, eval_str=True)
        own = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
        last = [each for each in own if each.kind is each.KEYWORD_ONLY]
        first = [each for each in own if each.kind is not each.KEYWORD_ONLY]
        rows = json.loads(TABLE.read_text(encoding="utf-8"))[name]
        verb.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[*first, *(_parameter(**row) for row in rows), *last]
        )
        return verb

    return decorate


TYPES: dict[str, Any] = {
    "whole": int,
    "number": float,
    "switch": bool,
    "switch on": bool,
    "options": list[str],
    "text": str,
}


def _parameter(name: str, kind: str, help: str, choices: str = "") -> inspect.Parameter:  # noqa: A002
    annotation: Any = Annotated[TYPES[kind] | None, _option(name, kind, help, choices)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _option(name: str, kind: str, text: str, choices: str) -> Any:
    flag = f"--{name.replace('_', '-')}"
    match kind:
        case "whole":
            return integer(flag, help=text)
        case "number":
            return real(flag, help=text)
        case "switch":
            return typer.Option(f"{flag}/--no-{flag.removeprefix('--')}", help=text)
        case "switch on":
            return typer.Option(flag, help=text)
        case "options":
            return typer.Option(flag.removesuffix("s"), flag, metavar="NAME=VALUE", help=text)
    complete = COMPLETE.get(name) or (one_of(choices.split("|")) if choices else None)
    return typer.Option(flag, metavar=choices or "<str>", autocompletion=complete, help=text)
