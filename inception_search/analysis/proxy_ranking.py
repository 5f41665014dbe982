"""Compares proxies with the baselines: which rank trained networks significantly better."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inception_search.analysis.rank_correlation import (
    Correlation,
    Floats,
    Interval,
    correlation,
    draws,
    interval,
    spearman,
    spearman_of,
    varies,
)
from inception_search.proxies.table import BASELINES

LEAST, TOP_LEAST, TOP_SHARE = 5, 30, 0.1
Verdict = Literal["baseline", "beats", "not distinguishable", "worse"]
Score = float | str
"""A score, or the reason why there is none."""


@dataclass(frozen=True)
class ProxyRow:
    """How one proxy ranks the ``networks`` it has scores for, compared with the better baseline on the same ones."""

    name: str
    networks: int
    correlation: Correlation
    top: float | None
    """Spearman's rho among the best tenth by accuracy; None below 30 networks, or where it is not defined."""
    gain: float
    """Its Spearman's rho minus that of the better baseline."""
    gain_interval: Interval
    verdict: Verdict


class Comparison(NamedTuple):
    """``rows``, best first; the reasons for ``left_out`` proxies; the better ``baseline`` (None: neither ranks)."""

    rows: tuple[ProxyRow, ...]
    left_out: dict[str, str]
    baseline: str | None


class _Column(NamedTuple):
    """The scores of one proxy, NaN where missing."""

    scores: Floats
    there: NDArray[np.bool_]


def compare(scores: Mapping[str, Sequence[Score]], accuracies: Floats, seed: int = 0) -> Comparison:
    """Compare the ``scores`` of each proxy, in the order of ``accuracies`` (n,), with the better baseline.

    The better baseline has the higher Spearman's rho. If neither baseline varies, the comparison is with a correlation
    of zero. Each proxy is compared on the networks it has scores for, by a paired bootstrap.
    """
    left_out: dict[str, str] = {}
    columns: dict[str, _Column] = {}
    for name, values in scores.items():
        numbers = np.array([math.nan if isinstance(value, str) else value for value in values], dtype=np.float64)
        column = _Column(numbers, ~np.isnan(numbers))
        reason = _unusable(values, column, accuracies)
        if reason is None:
            columns[name] = column
        else:
            left_out[name] = reason
    known = [name for name in BASELINES if name in columns]
    baseline = max(known, key=lambda name: _rho(columns[name], accuracies), default=None)
    against = np.zeros(len(accuracies)) if baseline is None else columns[baseline].scores
    rows = [_row(name, column, against, accuracies, seed) for name, column in columns.items()]
    return Comparison(tuple(sorted(rows, key=lambda row: -row.correlation.spearman)), left_out, baseline)


def top_count(networks: int) -> int:
    """The number of networks in the best tenth; 0 if there are too few networks."""
    return math.ceil(TOP_SHARE * networks) if networks >= TOP_LEAST else 0


def _row(name: str, column: _Column, baseline: Floats, accuracies: Floats, seed: int) -> ProxyRow:
    x, y, other = (values[column.there] for values in (column.scores, accuracies, baseline))
    chosen = draws(len(x), seed)
    found = correlation(x, y, chosen)
    gain, between = found.spearman, found.spearman_interval
    if varies(other):
        gain = found.spearman - spearman(other, y)
        between = interval(spearman_of(x, y, chosen) - spearman_of(other, y, chosen))
    verdict: Verdict = "beats" if between.low > 0 else "worse" if between.high < 0 else "not distinguishable"
    verdict = "baseline" if name in BASELINES else verdict
    return ProxyRow(name, len(x), found, _top(x, y), gain, between, verdict)


def _top(x: Floats, y: Floats) -> float | None:
    best = np.argsort(-y, kind="stable")[: top_count(len(y))]
    return spearman(x[best], y[best]) if varies(x[best]) and varies(y[best]) else None


def _rho(column: _Column, accuracies: Floats) -> float:
    return spearman(column.scores[column.there], accuracies[column.there])


def _unusable(values: Sequence[Score], column: _Column, accuracies: Floats) -> str | None:
    """Why a proxy cannot be ranked; None if it can."""
    count = int(column.there.sum())
    if count < LEAST:
        reasons = Counter(value for value in values if isinstance(value, str)).most_common(1)
        why = f", mostly because: {reasons[0][0]}" if reasons else ""
        return f"only {count} of {len(values)} networks have a score{why}"
    if not varies(column.scores[column.there]):
        return "all networks have the same score"
    return None if varies(accuracies[column.there]) else "the networks that have a score are equally accurate"
