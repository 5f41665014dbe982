"""Holes of a space as Optuna's distributions."""

from __future__ import annotations

from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from inception_search.space.holes import Choice, Hole, Integer, Params
from inception_search.space.space import Space


def distribution(hole: Hole) -> BaseDistribution:
    """The distribution of one hole's values."""
    if isinstance(hole, Choice):
        return CategoricalDistribution(hole.domain)
    if isinstance(hole, Integer):
        return IntDistribution(hole.low, hole.high, log=hole.log, step=hole.step)
    return FloatDistribution(hole.low, hole.high, log=hole.log, step=hole.step)


def distributions(space: Space, params: Params) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
    """The values of a point whose holes the space (still) has, and their distributions."""
    known = {name: value for name, value in params.items() if name in space.holes}
    return known, {name: distribution(space.holes[name]) for name in known}
