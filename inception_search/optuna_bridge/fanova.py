"""Optuna's fANOVA over the decisions of a space: the share of the variance that each accounts for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial

from inception_search.optuna_bridge.frozen_trials import distribution
from inception_search.optuna_bridge.optuna_logging import quiet
from inception_search.space.holes import Hole, Params, Value

ABSENT = "(absent)"


def fanova(
    points: Sequence[Params],
    values: NDArray[np.float64],
    known: dict[str, tuple[BaseDistribution, Value]],
    *,
    trees: int,
    seed: int,
) -> list[float]:
    """The share of variance of each hole in ``known``, which maps it to its distribution and its value for "absent"."""
    varied = [name for name, (_, absent) in known.items() if len({point.get(name, absent) for point in points}) > 1]
    if not varied or np.ptp(values) == 0.0:
        return [0.0] * len(known)
    from optuna.importance import FanovaImportanceEvaluator  # imports scikit-learn

    with quiet():
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0), direction="maximize")
    distributions = {name: known[name][0] for name in varied}
    for point, value in zip(points, values, strict=True):
        params = {name: point.get(name, known[name][1]) for name in varied}
        study.add_trial(create_trial(params=params, distributions=distributions, value=float(value)))
    found = FanovaImportanceEvaluator(n_trees=trees, seed=seed).evaluate(study)
    return [float(found.get(name, 0.0)) for name in known]


def with_absent(hole: Hole, name: str, points: Sequence[Params]) -> tuple[BaseDistribution, Value]:
    """The distribution of ``hole`` and its value for "absent", which is included if some point lacks the hole.

    For a number this value is below all others, so that a tree can separate it with one split.
    """
    known = distribution(hole)
    if isinstance(known, CategoricalDistribution):
        lacking = any(name not in point for point in points)
        return CategoricalDistribution((*known.choices, *([ABSENT] if lacking else []))), ABSENT
    if isinstance(known, IntDistribution):
        below = known.low - known.step
        lowest = below if any(name not in point for point in points) else known.low
        return IntDistribution(lowest, known.high, step=known.step), below
    assert isinstance(known, FloatDistribution)
    under = known.low - (known.step or (known.high - known.low) / 10)
    lacking = any(name not in point for point in points)
    return FloatDistribution(under if lacking else known.low, known.high), under
