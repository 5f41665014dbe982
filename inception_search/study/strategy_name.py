"""What a study may be searched with: a strategy's name, a sampler's name, or a sampler of Optuna's itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import WithJsonSchema, WrapValidator
from pydantic_core import PydanticCustomError

from inception_search.errors import ConfigError, raw
from inception_search.options import Keyword
from inception_search.optuna_bridge.given_sampler import OWN, PREFIXES, GivenSampler, is_sampler
from inception_search.strategies.table import names

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from inception_search.study.config import StudyConfig


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
    """The options with the name and the options of a sampler that was given in the place of a strategy's name."""
    if not isinstance(options, Mapping) or not is_sampler(options.get("strategy")):
        return options
    if options.get("strategy_options"):
        mend = "give them to the sampler itself, or name it: strategy='optuna:NAME'"
        found = options["strategy_options"]
        raise ConfigError("a sampler has its own options", path="strategy_options", found=found, mend=mend)
    name, own = _described(options["strategy"])
    return {**options, "strategy": name, "strategy_options": own}


def given_again(config: StudyConfig, sampler: BaseSampler | None) -> StudyConfig:
    """The configuration of a study that goes on, with the sampler that it was begun with.

    Raises ConfigError where it was given in Python and is not now, and where it is another.
    """
    begun = config.strategy
    if sampler is None:
        if not begun.startswith(OWN) or isinstance(begun, GivenSampler):
            return config
        kind = begun.rpartition(".")[2]
        mend = f"give it again: ins.resume(run, strategy={kind}(...))"
        if config.strategy_options:
            mend += f", with the options that it had: {config.strategy_options}"
        rule = "the sampler of the study was given in Python and cannot be made from its name"
        raise ConfigError(rule, path="strategy", found=begun, mend=mend)
    name, own = _described(sampler)
    if name != begun or own != config.strategy_options:
        expected = f"{begun}, with {config.strategy_options or 'no options'}"
        found = raw(f"{name}, with {own or 'no options'}")
        mend = "give the one that it was begun with, or begin a new run with warm_start"
        raise ConfigError("the study has another sampler", path="strategy", found=found, expected=expected, mend=mend)
    return config.model_copy(update={"strategy": name})


def _described(sampler: BaseSampler) -> tuple[str, dict[str, Any]]:
    from inception_search.optuna_bridge.named_sampler import described

    return described(sampler)
