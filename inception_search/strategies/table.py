"""The table of strategies by name; a new strategy is a file and a row here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, cast

from inception_search.errors import shorten, unknown_name
from inception_search.options import Options, read_options
from inception_search.optuna_bridge.given_sampler import PREFIXES
from inception_search.plugins import all_names, find, guarded, unusable
from inception_search.space.space import Space
from inception_search.strategies.protocol import Observation, Problem, Proposal, Strategy

# Only the selected strategy is imported: some need Optuna's samplers, scikit-learn or optional packages.
STRATEGIES: dict[str, str] = {
    "random": "random_search:RandomSearch",
    "tpe": "optuna_sampler:Tpe",
    "evolution": "evolution:Evolution",
    "nsga2": "nsga2:Nsga2",
    "local": "local_search:LocalSearch",
    "predictor": "predictor:Predictor",
    "gp": "optuna_sampler:Gp",
    "cmaes": "cmaes_search:CmaEs",
    "grid": "grid:Grid",
}


def names() -> tuple[str, ...]:
    """The names of all strategies; those of other packages (docs/plugins.md) come last."""
    return all_names("strategy", STRATEGIES)


def find_strategy(name: str) -> Any:
    """The class of strategy ``name``. Raises UnknownNameError, or PluginError if another package's class is broken."""
    if (plugin := find("strategy", name, STRATEGIES)) is not None:
        return _checked(name, plugin)
    if name not in STRATEGIES:
        raise unknown_name("strategy", name, names(), path="strategy")
    module, _, attribute = STRATEGIES[name].partition(":")
    return getattr(import_module(f"inception_search.strategies.{module}"), attribute)


def _checked(name: str, kind: Any) -> Any:
    """The class of another package, after a check that it has the interface of a strategy."""
    options = getattr(kind, "settings", None)
    has_options = isinstance(options, type) and issubclass(options, Options)
    if not (isinstance(kind, type) and has_options and callable(getattr(kind, "ask", None))):
        expected = "a class with ask, tell, and settings (a class of options)"
        raise unusable("strategy", name, shorten(kind), expected)
    return kind


def check(name: str, space: Space, objectives: int = 1, options: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Raise :class:`~inception_search.errors.ConfigError` if strategy ``name`` does not support ``space``, the number
    of objectives or ``options``."""
    if name.startswith(PREFIXES):
        _user_sampler().check(name, space, objectives, options)
        return
    settings_of(name, options)
    suits = getattr(find_strategy(name), "suits", None)
    if suits is not None:
        suits(space, objectives)


def make_strategy(name: str, problem: Problem, **options: Any) -> Strategy:
    """Strategy ``name`` for a problem; ``options`` are the fields of its class ``settings``. Raises ConfigError."""
    if name.startswith(PREFIXES):
        return cast(Strategy, _user_sampler().make(name, problem, options))
    check(name, problem.space, problem.objectives)
    kind, settings = find_strategy(name), settings_of(name, options)
    return (
        cast(Strategy, kind(problem, settings)) if name in STRATEGIES else AddedStrategy(name, kind, problem, settings)
    )


def _user_sampler() -> Any:
    return import_module("inception_search.strategies.user_sampler")


def settings_of(name: str, options: Mapping[str, Any]) -> Options:
    """The checked options of strategy ``name``. Raises ConfigError."""
    kind: type[Options] = find_strategy(name).settings
    return read_options(kind, options, owner=f"strategy {name}", path="strategy_options")


class AddedStrategy:
    """A wrapper of the strategy ``name``, an instance of the class ``kind`` of another package."""

    def __init__(self, name: str, kind: Any, problem: Problem, options: Options) -> None:
        self.name = name
        with guarded("strategy", name):
            self.strategy = kind(problem, options)

    def ask(self, number: int) -> Proposal | None:
        """The strategy's proposal. Raises PluginError if the strategy fails or returns anything else."""
        with guarded("strategy", self.name):
            found = self.strategy.ask(number)
        if found is not None and not isinstance(found, Proposal):
            raise unusable("strategy", self.name, f"{shorten(found)} of ask", "a Proposal, or None")
        return found

    def tell(self, observation: Observation) -> None:
        """Pass an observation to the strategy. Raises PluginError if the strategy fails."""
        with guarded("strategy", self.name):
            self.strategy.tell(observation)
