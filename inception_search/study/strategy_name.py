"""The ``strategy`` option: the name of a strategy or sampler, or an Optuna sampler object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import WithJsonSchema, WrapValidator
from pydantic_core import PydanticCustomError

from inception_search.errors import ConfigError
from inception_search.options import Keyword
from inception_search.optuna_bridge.given_sampler import PREFIXES, is_sampler
from inception_search.strategies.table import names

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


def _name(value: Any) -> str:
    if isinstance(value, str) and (value in names() or value.startswith(PREFIXES)):
        return value
    expected = ", ".join(map(repr, names())) + ", 'optuna:NAME', 'optunahub:samplers/NAME', or a sampler of Optuna's"
    raise PydanticCustomError("literal_error", "Input should be {expected}", {"expected": expected})


StrategyName: TypeAlias = Annotated[
    str,
    Keyword("str | BaseSampler"),
    WrapValidator(lambda value, check: _name(value)),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "enum": list(names())},
                {"type": "string", "pattern": f"^({'|'.join(PREFIXES)}).+"},
            ]
        }
    ),
]


def with_sampler_named(options: Any) -> Any:
    """The options with a sampler object replaced by its name and options."""
    if not isinstance(options, Mapping) or not is_sampler(options.get("strategy")):
        return options
    if options.get("strategy_options"):
        hint = "pass them to the sampler itself, or use its name: strategy='optuna:NAME'"
        found = options["strategy_options"]
        raise ConfigError("a sampler has its own options", path="strategy_options", found=found, hint=hint)
    name, own = described_sampler(options["strategy"])
    return {**options, "strategy": name, "strategy_options": own}


def described_sampler(sampler: BaseSampler) -> tuple[str, dict[str, Any]]:
    """The name and the options under which a sampler is stored."""
    from inception_search.optuna_bridge.named_sampler import described

    return described(sampler)
