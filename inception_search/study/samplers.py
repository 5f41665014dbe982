"""Optuna samplers by name; a new one is a row here."""

from __future__ import annotations

from collections.abc import Callable

from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from inception_search.errors import unknown_name


def _tpe(seed: int, startup: int) -> BaseSampler:
    return TPESampler(seed=seed, n_startup_trials=startup)


def _random(seed: int, startup: int) -> BaseSampler:
    return RandomSampler(seed=seed)


SAMPLERS: dict[str, Callable[[int, int], BaseSampler]] = {"tpe": _tpe, "random": _random}


def make_sampler(name: str, *, seed: int, startup: int) -> BaseSampler:
    """The sampler ``name``; ``startup`` trials are random (or baselines) before a model is fitted."""
    if name not in SAMPLERS:
        raise unknown_name("sampler", name, SAMPLERS)
    return SAMPLERS[name](seed, startup)
