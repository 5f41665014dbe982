"""Which decisions of a space matter: Optuna's fANOVA over its holes, and the level that chance alone reaches."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inception_search.analysis.importance import Bar, Importance
from inception_search.optuna_bridge.fanova import ABSENT, fanova, with_absent
from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.store.query import merged, quality_words
from inception_search.store.record import TrialRecord

LEAST = 20  # complete trials; shares from fewer are noise
RESAMPLES = 10  # resamples of the trials, with one forest each
PART = 0.8  # share of the trials in a resample, drawn without replacement
SHUFFLES = 6  # forests fitted to shuffled accuracies
MOST = 80  # trials in a resample: a forest takes more than linear time
TREES = 8  # per forest
WITHIN = 80  # per cent of the resamples inside the interval
CHANCE = 95  # percentile of the shares from shuffled forests that counts as chance level
DIGITS = 4  # rounded, so that results agree between machines
TITLE = "Decisions of the space"


def hole_importance(space: Space, records: Iterable[TrialRecord], run: str = "RUN") -> Importance:
    """The share of the variance of the score (by default, validation accuracy) that each decision accounts for.

    Only complete trials count. A hole that did not exist in a trial has the value "absent" there, so that every trial
    counts. ``run`` is the folder of the study, for the command that continues it.
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
    """The sentence that the study in the folder ``run`` has too few trials."""
    return (
        f"{trials} trained network{' is' if trials == 1 else 's are'} too few for this analysis, "
        f"which needs at least {LEAST}; "
        f"`inception-search resume {shlex.quote(run)} --trials N` adds trials."
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
    """The recorded values of holes that the space still has, where it still allows them."""
    holes: dict[str, Any] = dict(record.holes)
    return {n: v for n, v in holes.items() if n in space.holes and space.holes[n].why_not(v) is None}


def _shares(
    space: Space, points: Sequence[Params], values: NDArray[np.float64], names: Sequence[str], shuffled: bool = False
) -> NDArray[np.float64]:
    """Shares (forests, ``names``) of forests on resamples of the trials; ``shuffled``: with shuffled accuracies."""
    rng = np.random.default_rng(1 if shuffled else 0)
    known = {name: with_absent(space.holes[name], name, points) for name in names}
    rows = []
    for seed in range(SHUFFLES if shuffled else RESAMPLES):
        chosen = rng.permutation(len(points))[: _size(len(points))]
        targets = rng.permutation(values)[chosen] if shuffled else values[chosen]
        rows.append(fanova([points[at] for at in chosen], targets, known, trees=TREES, seed=seed))
    return np.array(rows)


def _size(trials: int) -> int:
    return min(round(PART * trials), MOST)


def _bar(name: str, shares: tuple[float, float, float], made: int, trials: int, chance: float) -> Bar:
    value, low, high = (round(share, DIGITS) for share in shares)
    versus_chance = "above" if value > chance else "within"
    cells = (f"{100 * value:.0f} %", f"{100 * low:.0f} to {100 * high:.0f} %", f"{made} of {trials}", versus_chance)
    return Bar(name, value, low, high, cells)


def _about(trials: int, words: str) -> str:
    size = _size(trials)
    return (
        f"Functional ANOVA (Optuna's fANOVA) on the validation {words} of {trials} trained networks: the share of "
        f"its variance that a decision accounts for by itself. Bars are medians of {RESAMPLES} resamples of {size} "
        f"trials, lines the middle {WITHIN} % of them. A decision that a network did not have to make, because "
        'another one removed its place, counts as "absent" there, so part of its share is that other decision\'s. '
        f"Chance: the level that {CHANCE} % of decisions stay below when accuracies are shuffled between trials; "
        "pale bars do not exceed it. The strategy chose the trials, so decisions that it varied together share "
        "their effect."
    )
