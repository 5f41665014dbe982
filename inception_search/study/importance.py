"""Which decisions of a space matter: Optuna's fANOVA over its holes, and how far chance alone would come."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial

from inception_search.space.holes import Params, Value
from inception_search.space.space import Space
from inception_search.store.query import merged, quality_words
from inception_search.store.record import TrialRecord
from inception_search.study.distributions import distribution
from inception_search.study.quiet import quiet

LEAST = 20  # complete trials; a share from fewer is noise
RESAMPLES = 10  # of the trials, a forest for each
PART = 0.8  # of the trials in a resample, none twice
SHUFFLES = 6  # forests that were told accuracies of other trials
MOST = 80  # trials in a resample: what a forest costs grows faster than they do
TREES = 8  # of a forest
WITHIN = 80  # per cent of the resamples that the interval holds
CHANCE = 95  # per cent of what the shuffled forests gave any decision lies below
DIGITS = 4  # kept: the same on every machine
ABSENT = "(absent)"
TITLE = "Decisions of the space"


@dataclass(frozen=True)
class Bar:
    """How much one thing matters, with its interval; ``cells`` are what a table says of it."""

    name: str
    value: float
    low: float
    high: float
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Importance:
    """The answer to a question about what matters, the most important first, or ``refusal``: why there is none."""

    title: str
    about: str = ""
    axis: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[Bar, ...] = ()
    chance: float | None = None
    refusal: str | None = None


def hole_importance(space: Space, records: Iterable[TrialRecord], run: str = "RUN") -> Importance:
    """The share of the variance of the score (by default, validation accuracy) that each decision accounts for.

    Complete trials count. A decision that was not there to be made in a trial has the value "absent" there, so that
    every trial counts. ``run`` is the folder of the study, for the command that makes it longer.
    """
    records = list(records)
    words = quality_words(records)
    known = [(_decisions(space, record), record.score) for record in merged(records) if record.state == "complete"]
    points = [point for point, _ in known if point]
    values = np.array([value for point, value in known if point and value is not None])
    names = [name for name in space.holes if len({point.get(name, ABSENT) for point in points}) > 1]
    if refusal := _refusal(len(points), values, names, words, run):
        return Importance(TITLE, refusal=refusal)
    shares = _shares(space, points, values, names)
    shuffled = _shares(space, points, values, names, shuffled=True)
    chance = round(float(np.percentile(shuffled, CHANCE)), DIGITS)
    tail = (100 - WITHIN) / 2
    low, middle, high = (np.percentile(shares, at, axis=0) for at in (tail, 50, 100 - tail))
    made = {name: sum(name in point for point in points) for name in names}
    bars = [
        _bar(name, (float(middle[at]), float(low[at]), float(high[at])), made[name], len(points), chance)
        for at, name in enumerate(names)
    ]
    bars.sort(key=lambda bar: (-bar.value, bar.name))
    columns = ("Decision$", "Share of variance#", f"{WITHIN} % of resamples", "Made in trials#", "Against chance")
    axis = f"share of the variance of {words}"
    return Importance(TITLE, _about(len(points), words), axis, columns, tuple(bars), chance=chance)


def too_few(trials: int, run: str) -> str:
    """The sentence for a study in the folder ``run`` that is too small."""
    return (
        f"{trials} trained network{' is' if trials == 1 else 's are'} too few to tell what matters: "
        f"from {LEAST} on it is computed; "
        f"`inception-search resume {shlex.quote(run)} --trials N` makes the study longer."
    )


def _refusal(trials: int, values: NDArray[np.float64], names: Sequence[str], words: str, run: str) -> str | None:
    if trials < LEAST:
        return too_few(trials, run)
    if not names:
        return f"All {trials} trained networks have made the same decisions."
    if np.ptp(values) == 0.0:
        return f"All {trials} trained networks have the same validation {words}."
    return None


def _decisions(space: Space, record: TrialRecord) -> Params:
    """What a record says of holes that the space (still) has, where it still allows it."""
    holes: dict[str, Any] = dict(record.holes)
    return {n: v for n, v in holes.items() if n in space.holes and space.holes[n].why_not(v) is None}


def _shares(
    space: Space, points: Sequence[Params], values: NDArray[np.float64], names: Sequence[str], shuffled: bool = False
) -> NDArray[np.float64]:
    """Shares (forests, ``names``) of forests on resamples of the trials; ``shuffled``: with others' accuracies."""
    rng = np.random.default_rng(1 if shuffled else 0)
    known = {name: _with_absent(distribution(space.holes[name]), name, points) for name in names}
    rows = []
    for seed in range(SHUFFLES if shuffled else RESAMPLES):
        chosen = rng.permutation(len(points))[: _size(len(points))]
        told = rng.permutation(values)[chosen] if shuffled else values[chosen]
        rows.append(_fanova([points[at] for at in chosen], told, known, seed))
    return np.array(rows)


def _size(trials: int) -> int:
    return min(round(PART * trials), MOST)


def _fanova(
    points: Sequence[Params], values: NDArray[np.float64], known: dict[str, tuple[BaseDistribution, Value]], seed: int
) -> list[float]:
    """The share of each of ``known``: holes with their distribution and the value that stands for absent."""
    varied = [name for name, (_, absent) in known.items() if len({point.get(name, absent) for point in points}) > 1]
    if not varied or np.ptp(values) == 0.0:
        return [0.0] * len(known)
    from optuna.importance import FanovaImportanceEvaluator  # brings scikit-learn

    with quiet():
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0), direction="maximize")
    distributions = {name: known[name][0] for name in varied}
    for point, value in zip(points, values, strict=True):
        params = {name: point.get(name, known[name][1]) for name in varied}
        study.add_trial(create_trial(params=params, distributions=distributions, value=float(value)))
    found = FanovaImportanceEvaluator(n_trees=TREES, seed=seed).evaluate(study)
    return [float(found.get(name, 0.0)) for name in known]


def _with_absent(known: BaseDistribution, name: str, points: Sequence[Params]) -> tuple[BaseDistribution, Value]:
    """A distribution with room for "absent", where some point lacks the hole, and the value that stands for it.

    A number's stands below all others: a tree can part it from them in one cut.
    """
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


def _bar(name: str, shares: tuple[float, float, float], made: int, trials: int, chance: float) -> Bar:
    value, low, high = (round(share, DIGITS) for share in shares)
    told = "above" if value > chance else "within"
    cells = (f"{100 * value:.0f} %", f"{100 * low:.0f} to {100 * high:.0f} %", f"{made} of {trials}", told)
    return Bar(name, value, low, high, cells)


def _about(trials: int, words: str) -> str:
    size = _size(trials)
    return (
        f"Functional ANOVA (Optuna's fANOVA) on the validation {words} of {trials} trained networks: the share of "
        f"its variance that a decision accounts for by itself. Bars are medians of {RESAMPLES} resamples of {size} "
        f"trials, lines the middle {WITHIN} % of them. A decision that a network did not have to make, because "
        'another one removed its place, counts as "absent" there, so part of its share is that other decision\'s. '
        f"Chance: what {CHANCE} % of decisions stay below when accuracies are dealt out to other trials; pale bars "
        "are no more than that. The strategy chose the trials, so decisions it made together share what they do."
    )
