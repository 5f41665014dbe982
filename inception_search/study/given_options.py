"""Options of a strategy or pruner in the forms users pass them: a mapping, or ``name=value`` as in flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, JsonValue

from inception_search.errors import ConfigError, InceptionSearchError
from inception_search.options import Keyword
from inception_search.spec.documents.yaml_reader import read_yaml

FORM = "a mapping, or name=value, such as population=20"


def given_options(value: Any) -> dict[str, Any]:
    """The options by name; values in flags are parsed as YAML.

    >>> given_options(["population=20", "tournament=5"]), given_options("eta=4,min_epochs=2")
    ({'population': 20, 'tournament': 5}, {'eta': 4, 'min_epochs': 2})
    """
    if isinstance(value, Mapping):
        return dict(value)
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, Sequence) or not all(isinstance(part, str) and "=" in part for part in parts):
        raise ConfigError("not options", found=value, expected=FORM)
    pairs = [part.split("=", 1) for part in parts]
    return {name.strip(): read_yaml(text) if text.strip() else "" for name, text in pairs}


def _read(value: Any) -> Any:
    try:
        return given_options(value)
    except InceptionSearchError:
        raise ValueError(FORM) from None


Given: TypeAlias = Annotated[dict[str, JsonValue], BeforeValidator(_read), Keyword("Mapping[str, Any]")]
