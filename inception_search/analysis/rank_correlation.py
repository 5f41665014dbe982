"""Rank correlations of scores with accuracies and their uncertainty, by bootstrap over the networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
RESAMPLES = 2000
LEVEL = 95.0  # per cent
_CELLS = 2_000_000  # numbers in memory at a time


class Interval(NamedTuple):
    """The middle 95 % of the bootstrap."""

    low: float
    high: float


@dataclass(frozen=True)
class Correlation:
    """Spearman's rho and Kendall's tau-b of one sample, with their intervals."""

    spearman: float
    spearman_interval: Interval
    kendall: float
    kendall_interval: Interval


def varies(values: Floats) -> bool:
    """Whether ``values`` can be ranked: at least two of them differ."""
    return bool(len(values)) and bool(np.ptp(values) > 0)


def draws(count: int, seed: int = 0, resamples: int = RESAMPLES) -> Whole:
    """Bootstrap resamples (``resamples``, ``count``) of the indices 0 .. ``count`` - 1, with replacement."""
    return np.random.default_rng(seed).integers(0, count, (resamples, count))


def spearman(x: Floats, y: Floats) -> float:
    """Spearman's rho of ``x`` and ``y`` (n,), both of which vary."""
    from scipy import stats

    return float(stats.spearmanr(x, y).statistic)


def correlation(x: Floats, y: Floats, chosen: Whole) -> Correlation:
    """Both correlations of ``x`` and ``y`` (n,), which vary; ``chosen`` are resamples (B, n) of their indices."""
    from scipy import stats

    return Correlation(
        spearman=spearman(x, y),
        spearman_interval=interval(spearman_of(x, y, chosen)),
        kendall=float(stats.kendalltau(x, y).statistic),
        kendall_interval=interval(kendall_of(x, y, chosen)),
    )


def interval(values: Floats) -> Interval:
    """The percentile interval of bootstrap ``values``; NaN, from resamples that cannot be ranked, is ignored."""
    tail = (100 - LEVEL) / 2
    low, high = np.percentile(values[~np.isnan(values)], (tail, 100 - tail))
    return Interval(float(low), float(high))


def spearman_of(x: Floats, y: Floats, chosen: Whole) -> Floats:
    """Spearman's rho (B,) of each resample in ``chosen`` (B, n); NaN where one of the two does not vary."""
    pieces = np.array_split(chosen, _pieces(chosen.size))
    ranks = [[_ranks(values, piece) for values in (x, y)] for piece in pieces]
    return np.concatenate([_pearson(a, b) for a, b in ranks])


def _ranks(values: Floats, chosen: Whole) -> Floats:
    """The ranks (B, n) of ``values`` (n,) in each resample, ties at their mean; computed by counting."""
    distinct, groups = np.unique(values, return_inverse=True)
    picked = groups[chosen]
    cells = picked + len(distinct) * np.arange(len(chosen))[:, None]
    counts = np.bincount(cells.ravel(), minlength=len(chosen) * len(distinct)).reshape(len(chosen), -1)
    middles = counts.cumsum(1) - (counts - 1) / 2
    ranks: Floats = np.take_along_axis(middles, picked, axis=1)
    return ranks


def kendall_of(x: Floats, y: Floats, chosen: Whole) -> Floats:
    """Kendall's tau-b (B,) of each resample in ``chosen`` (B, n); NaN where one of the two does not vary.

    Let m count how often a resample contains each network; then tau-b is m'Pm / sqrt(m'Xm m'Ym). X and Y mark the pairs
    that differ, P the pairs that agree (1) or disagree (-1).
    """
    sign_x, sign_y = (np.sign(values[:, None] - values[None, :]) for values in (x, y))
    together, by_x, by_y = sign_x * sign_y, np.abs(sign_x), np.abs(sign_y)
    found = []
    for piece in np.array_split(chosen, _pieces(chosen.size)):
        times = np.zeros((len(piece), len(x)))
        np.add.at(times, (np.arange(len(piece))[:, None], piece), 1.0)
        agree, pairs_x, pairs_y = (((times @ matrix) * times).sum(1) for matrix in (together, by_x, by_y))
        found.append(_ratio(agree, np.sqrt(pairs_x * pairs_y)))
    return np.concatenate(found)


def _pearson(a: Any, b: Any) -> Floats:
    """Pearson's r (B,) of the rows of ``a`` and ``b`` (B, n)."""
    a, b = (values - values.mean(1, keepdims=True) for values in (a, b))
    return _ratio((a * b).sum(1), np.sqrt((a * a).sum(1) * (b * b).sum(1)))


def _ratio(above: Floats, below: Floats) -> Floats:
    undefined: Floats = np.full(len(above), np.nan)
    return np.divide(above, below, out=undefined, where=below > 0)


def _pieces(cells: int) -> int:
    return 1 + cells // _CELLS
