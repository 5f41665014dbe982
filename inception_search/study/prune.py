"""Stopping trials that will not make it: compared at equal epochs under one schedule."""

from __future__ import annotations

from collections.abc import Callable

from optuna.pruners import BasePruner, MedianPruner, NopPruner

from inception_search.errors import unknown_name

PRUNERS: dict[str, Callable[[int], BasePruner]] = {
    # The first half of the epochs decides nothing: the learning rate is still near its height.
    "median": lambda epochs: MedianPruner(n_startup_trials=8, n_warmup_steps=epochs // 2 + 1),
    "none": lambda epochs: NopPruner(),
}


def make_pruner(name: str, *, epochs: int) -> BasePruner:
    """The pruner ``name`` for trainings of ``epochs`` epochs."""
    if name not in PRUNERS:
        raise unknown_name("pruner", name, PRUNERS)
    return PRUNERS[name](epochs)
