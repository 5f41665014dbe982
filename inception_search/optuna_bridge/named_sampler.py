"""Samplers by name: found, made with their options, described so that they can be made again."""

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
    """The sampler called ``name``.

    Args:
        name: ``optuna:NSGAIIISampler``, ``optunahub:samplers/NAME`` (``:CLASS`` behind it where there are several), or
            one that was given in Python.
        options: the arguments of its class; one that was given has its own.
        seed: its seed, where it has one and ``options`` name none.

    Raises:
        ConfigError: there is no such sampler, it has no such option, or it cannot be made.
    """
    if isinstance(name, GivenSampler):
        return name.sampler
    if name.startswith(OWN):
        hint = f"give it: ins.search(..., strategy={name.rpartition('.')[2]}(...)), or ins.resume(run, strategy=...)"
        raise ConfigError("a sampler of this class can only be given in Python", path="strategy", found=name, hint=hint)
    found = _of_optuna(name) if name.startswith(OPTUNA) else _of_hub(name)
    return _made(found, name, options, seed)


def described(sampler: BaseSampler) -> tuple[str, dict[str, Any]]:
    """The name and the options by which a study remembers a sampler.

    One of Optuna's that its class makes again from plain arguments is called as in YAML; any other is a
    :class:`GivenSampler`.
    """
    kind, arguments = type(sampler), _arguments(sampler)
    if arguments is not None and getattr(optuna.samplers, kind.__name__, None) is kind:
        return f"{OPTUNA}{kind.__name__}", arguments
    return GivenSampler(f"{OWN}{kind.__module__}.{kind.__qualname__}", sampler), arguments or {}


def _of_optuna(name: str) -> type[BaseSampler]:
    kinds = {each: getattr(optuna.samplers, each) for each in optuna.samplers.__all__}
    known = {each: kind for each, kind in kinds.items() if isinstance(kind, type) and not inspect.isabstract(kind)}
    wanted = name.removeprefix(OPTUNA)
    if not issubclass(known.get(wanted, object), BaseSampler):
        samplers = [each for each, kind in known.items() if issubclass(kind, BaseSampler)]
        raise unknown_name("sampler of Optuna's", wanted, samplers, path="strategy")
    found: type[BaseSampler] = known[wanted]
    return found


def _of_hub(name: str) -> type[BaseSampler]:
    if find_spec("optunahub") is None:
        raise MissingRequirementError(
            "samplers of OptunaHub need the package optunahub, which is not installed",
            path="strategy",
            found=name,
            hint="pip install optunahub",
        )
    package, _, wanted = name.removeprefix(HUB).partition(":")
    if not _PACKAGE.fullmatch(package):  # a path with dots would lead out of the registry, to any folder
        expected = "optunahub:samplers/NAME"
        raise ConfigError("not the name of a package of OptunaHub", path="strategy", found=name, expected=expected)
    try:
        module = import_module("optunahub").load_module(package=package)
    except Exception as error:  # no such package, no network, a package of its own is missing
        rule, found = f"the package {package!r} of OptunaHub cannot be loaded", raw(first_line(error))
        raise ConfigError(rule, path="strategy", found=found, hint="see https://hub.optuna.org for its name") from None
    return _sampler_in(module, package, wanted)


def _sampler_in(module: ModuleType, package: str, wanted: str) -> type[BaseSampler]:
    names = getattr(module, "__all__", None) or [each for each in vars(module) if not each.startswith("_")]
    kinds = {each: getattr(module, each, None) for each in names}
    found = {each: kind for each, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, BaseSampler)}
    own = {each: kind for each, kind in found.items() if not kind.__module__.startswith("optuna.")}
    if wanted:
        if wanted not in own:
            raise unknown_name(f"sampler of the package {package}", wanted, own, path="strategy")
        return own[wanted]
    if len(own) != 1:
        hint = f"write {HUB}{package}:NAME" if own else "name a package with a sampler: optunahub:samplers/NAME"
        expected = "one of " + ", ".join(own) if own else "a package with one sampler"
        raise ConfigError("which sampler is meant?", path="strategy", found=package, expected=expected, hint=hint)
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
    except Exception as error:  # what a sampler's class raises is its own affair
        expected = f"arguments of {kind.__name__}" + (f": {', '.join(known)}" if known else "")
        found = raw(f"{dict(options)}: {first_line(error)}")
        rule = f"sampler {name} cannot be made"
        raise ConfigError(rule, path="strategy_options", found=found, expected=expected) from None


def _parameters(kind: type[BaseSampler]) -> Mapping[str, inspect.Parameter]:
    constructor: Callable[..., None] = kind.__init__
    parameters = dict(inspect.signature(constructor).parameters)
    parameters.pop("self", None)
    return parameters if constructor is not object.__init__ else {}


def _arguments(sampler: BaseSampler) -> dict[str, Any] | None:
    """Plain arguments from which the sampler's class makes one like it; None where it cannot.

    Samplers keep no list of them: those that are found in it by name are tried, and what they make is compared.
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
    except Exception:  # it needs what is not plain
        return None
    return found if same(sampler, again) else None
