"""Samplers by name: looked up, created with their options, and described so that they can be created again."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import optuna.samplers
from optuna.samplers import BaseSampler

from inception_search.errors import ConfigError, MissingRequirementError, raw, unknown_name
from inception_search.options import unknown_option
from inception_search.optuna_bridge.given_sampler import HUB, OPTUNA, OWN, GivenSampler
from inception_search.optuna_bridge.optuna_logging import quiet
from inception_search.optuna_bridge.sampler_state import parts_of, same
from inception_search.optuna_bridge.storage import first_line

_PACKAGE = re.compile(r"\w[\w-]*(/\w[\w-]*)*", re.ASCII)
PLAIN = (bool, int, float, str)


def sampler_named(name: str, options: Mapping[str, Any], seed: int) -> BaseSampler:
    """The sampler with this name.

    Args:
        name: ``optuna:NSGAIIISampler``, ``optunahub:samplers/NAME`` (followed by ``:CLASS`` if it has several), or a
            :class:`GivenSampler`.
        options: the arguments of its class; ignored for a :class:`GivenSampler`.
        seed: its seed, if its class takes one and ``options`` has none.

    Raises:
        ConfigError: the sampler or an option does not exist, or the sampler cannot be created.
    """
    if isinstance(name, GivenSampler):
        return name.sampler
    if name.startswith(OWN):
        given = f"strategy={name.rpartition('.')[2]}(...)"
        hint = f"pass the object: ins.search(..., {given}), or ins.resume(run, strategy=...)"
        raise ConfigError(
            "a sampler of this class can only be passed from Python", path="strategy", found=name, hint=hint
        )
    found = _of_optuna(name) if name.startswith(OPTUNA) else _of_hub(name)
    return _made(found, name, options, seed)


def described(sampler: BaseSampler) -> tuple[str, dict[str, Any]]:
    """The name and the options under which a study stores a sampler.

    The name of an Optuna sampler that plain arguments can recreate is the one used in YAML; any other sampler becomes a
    :class:`GivenSampler`.
    """
    kind, arguments = type(sampler), _arguments(sampler)
    if arguments is not None and getattr(optuna.samplers, kind.__name__, None) is kind:
        return f"{OPTUNA}{kind.__name__}", arguments
    return GivenSampler(f"{OWN}{kind.__module__}.{kind.__qualname__}", sampler), arguments or {}


def _of_optuna(name: str) -> type[BaseSampler]:
    kinds = {each: getattr(optuna.samplers, each) for each in optuna.samplers.__all__}
    known = {each: kind for each, kind in kinds.items() if isinstance(kind, type) and not inspect.isabstract(kind)}
    kind_name = name.removeprefix(OPTUNA)
    if not issubclass(known.get(kind_name, object), BaseSampler):
        samplers = [each for each, kind in known.items() if issubclass(kind, BaseSampler)]
        raise unknown_name("sampler of Optuna's", kind_name, samplers, path="strategy")
    found: type[BaseSampler] = known[kind_name]
    return found


def _of_hub(name: str) -> type[BaseSampler]:
    if find_spec("optunahub") is None:
        raise MissingRequirementError(
            "samplers of OptunaHub need the package optunahub, which is not installed",
            path="strategy",
            found=name,
            hint="pip install optunahub",
        )
    package, _, kind_name = name.removeprefix(HUB).partition(":")
    if not _PACKAGE.fullmatch(package):  # a path with dots could leave the registry and load any folder
        expected = "optunahub:samplers/NAME"
        raise ConfigError("not the name of a package of OptunaHub", path="strategy", found=name, expected=expected)
    try:
        module = import_module("optunahub").load_module(package=package)
    except Exception as error:  # unknown package, no network, or a missing dependency of the package
        rule, found = f"the package {package!r} of OptunaHub cannot be loaded", raw(first_line(error))
        raise ConfigError(rule, path="strategy", found=found, hint="see https://hub.optuna.org for its name") from None
    return _sampler_in(module, package, kind_name)


def _sampler_in(module: ModuleType, package: str, kind_name: str) -> type[BaseSampler]:
    names = getattr(module, "__all__", None) or [each for each in vars(module) if not each.startswith("_")]
    kinds = {each: getattr(module, each, None) for each in names}
    found = {each: kind for each, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, BaseSampler)}
    own = {each: kind for each, kind in found.items() if not kind.__module__.startswith("optuna.")}
    if kind_name:
        if kind_name not in own:
            raise unknown_name(f"sampler of the package {package}", kind_name, own, path="strategy")
        return own[kind_name]
    if len(own) != 1:
        hint = f"write {HUB}{package}:NAME" if own else "name a package with a sampler: optunahub:samplers/NAME"
        expected = "one of " + ", ".join(own) if own else "a package with one sampler"
        raise ConfigError(
            "the package does not have exactly one sampler",
            path="strategy",
            found=package,
            expected=expected,
            hint=hint,
        )
    return next(iter(own.values()))


def _made(kind: type[BaseSampler], name: str, options: Mapping[str, Any], seed: int) -> BaseSampler:
    parameters = _parameters(kind)
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    known = {
        name: each for name, each in parameters.items() if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
    }
    for option in options:
        if option not in known and not takes_any:
            raise unknown_option(f"sampler {name}", option, known, path="strategy_options")
    seeded = {"seed": seed, **options} if "seed" in known else dict(options)
    try:
        with quiet():
            return kind(**seeded)
    except Exception as error:  # a sampler's class may raise anything
        expected = f"arguments of {kind.__name__}" + (f": {', '.join(known)}" if known else "")
        found = raw(f"{dict(options)}: {first_line(error)}")
        rule = f"sampler {name} cannot be created"
        raise ConfigError(rule, path="strategy_options", found=found, expected=expected) from None


def _parameters(kind: type[BaseSampler]) -> Mapping[str, inspect.Parameter]:
    constructor: Callable[..., None] = kind.__init__
    parameters = dict(inspect.signature(constructor).parameters)
    parameters.pop("self", None)
    return parameters if constructor is not object.__init__ else {}


def _arguments(sampler: BaseSampler) -> dict[str, Any] | None:
    """Plain arguments from which the sampler's class creates an equal sampler; None if that is impossible.

    Samplers do not store their arguments. Attributes with the names of parameters are tried, and the result is
    compared.
    """
    kind, found = type(sampler), {}
    places = [vars(sampler), *(vars(part) for part in parts_of(sampler))]
    for name, parameter in _parameters(kind).items():
        kept = [place[key] for place in places for key in (name, f"_{name}") if key in place]
        if kept and type(kept[0]) in PLAIN and kept[0] != parameter.default:
            found[name] = kept[0]
    try:
        with quiet():
            again = kind(**found)
    except Exception:  # it needs arguments that are not plain
        return None
    return found if same(sampler, again) else None
