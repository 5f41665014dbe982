"""Rank correlations and their bootstrap, against scipy one resample at a time; who beats whom."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy import stats

from inception_search.analysis.proxy_ranking import Comparison, Score, compare, top_count
from inception_search.analysis.rank_correlation import correlation, draws, interval, kendall_of, spearman_of, varies

RNG = np.random.default_rng(0)
SAMPLES = {
    "continuous": (RNG.normal(size=12), RNG.normal(size=12)),
    "ties": (RNG.integers(0, 4, 15).astype(float), RNG.integers(0, 3, 15).astype(float)),
    "one differs": (np.array([0.0, 0, 0, 0, 1]), np.arange(5.0)),
    "huge": (10.0 ** np.arange(0, 40, 4), -np.arange(10.0)),
}


@pytest.mark.parametrize("what", SAMPLES)
def test_every_resample_is_what_scipy_says(what: str) -> None:
    x, y = SAMPLES[what]
    chosen = draws(len(x), resamples=60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # resamples that are constant
        rho = [stats.spearmanr(x[row], y[row]).statistic for row in chosen]
        tau = [stats.kendalltau(x[row], y[row]).statistic for row in chosen]
    np.testing.assert_allclose(spearman_of(x, y, chosen), rho, atol=1e-12)
    np.testing.assert_allclose(kendall_of(x, y, chosen), tau, atol=1e-12)


@pytest.mark.parametrize("what", SAMPLES)
def test_intervals_hold_the_estimate(what: str) -> None:
    x, y = SAMPLES[what]
    found = correlation(x, y, draws(len(x)))
    assert found.spearman == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found.kendall == pytest.approx(stats.kendalltau(x, y).statistic)
    for value, (low, high) in (
        (found.spearman, found.spearman_interval),
        (found.kendall, found.kendall_interval),
    ):
        assert -1 - 1e-9 <= low <= value + 1e-9
        assert value - 1e-9 <= high <= 1 + 1e-9


def test_the_interval_is_the_middle_95_per_cent() -> None:
    values = np.append(np.arange(1001.0), math.nan)
    assert interval(values) == pytest.approx((25, 975))


def test_resamples_repeat_and_are_with_replacement() -> None:
    assert np.array_equal(draws(9, 1), draws(9, 1))
    assert not np.array_equal(draws(9, 1), draws(9, 2))
    assert draws(9).shape == (2000, 9)
    assert set(draws(9).flat) == set(range(9))


def test_in_pieces_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = SAMPLES["ties"]
    chosen = draws(len(x), resamples=50)
    whole = spearman_of(x, y, chosen), kendall_of(x, y, chosen)
    monkeypatch.setattr("inception_search.analysis.rank_correlation._CELLS", 100)
    np.testing.assert_array_equal(whole, (spearman_of(x, y, chosen), kendall_of(x, y, chosen)))


@pytest.mark.parametrize(("values", "answer"), [([], False), ([1.0, 1.0], False), ([1.0, 2.0], True)])
def test_varies(values: list[float], answer: bool) -> None:
    assert varies(np.array(values)) is answer


COUNT = 40
ACCURACY = np.linspace(0.5, 0.9, COUNT)
NOISE = np.random.default_rng(7).normal(size=(3, COUNT))
GOOD, FAIR = ACCURACY + 0.01 * NOISE[0], ACCURACY + 0.15 * NOISE[1]


def compared(**columns: object) -> Comparison:
    scores: dict[str, list[Score]] = {name: list(values) for name, values in columns.items()}  # type: ignore[call-overload]
    return compare(scores, ACCURACY)


def test_who_beats_whom() -> None:
    found = compared(params=FAIR, macs=NOISE[2], good=GOOD, same=FAIR * 2, bad=-GOOD)
    verdicts = {row.name: row.verdict for row in found.rows}
    assert found.baseline == "params"
    assert verdicts == {
        "good": "beats", "params": "baseline", "same": "not distinguishable", "macs": "baseline", "bad": "worse"
    }  # fmt: skip
    rows = {row.name: row for row in found.rows}
    assert [row.correlation.spearman for row in found.rows] == sorted(
        (row.correlation.spearman for row in found.rows), reverse=True
    )
    assert rows["same"].gain == rows["params"].gain == 0
    assert rows["same"].gain_interval == (0, 0)
    gained = rows["good"].correlation.spearman - rows["params"].correlation.spearman
    assert rows["good"].gain == pytest.approx(gained)
    assert rows["good"].gain_interval.low <= gained <= rows["good"].gain_interval.high


def test_the_better_baseline_is_the_one_to_beat() -> None:
    assert compared(params=FAIR, macs=GOOD).baseline == "macs"
    found = compared(params=np.ones(COUNT), macs=["none"] * COUNT, good=GOOD, bad=-GOOD)
    assert found.baseline is None
    assert {row.name: row.verdict for row in found.rows} == {"good": "beats", "bad": "worse"}
    assert found.left_out == {
        "params": "all networks have the same score",
        "macs": f"only 0 of {COUNT} networks have a score, mostly because: none",
    }


def test_networks_without_a_score_are_compared_without() -> None:
    some: list[Score] = ["no reason", *GOOD[1:5], *["dead"] * (COUNT - 5)]
    more: list[Score] = [*GOOD[:6], *["dead"] * (COUNT - 6)]
    found = compared(params=FAIR, some=some, more=more)
    assert found.left_out == {"some": f"only 4 of {COUNT} networks have a score, mostly because: dead"}
    assert {row.name: (row.networks, row.top is None) for row in found.rows} == {
        "params": (COUNT, False),
        "more": (6, True),
    }


def test_the_best_tenth() -> None:
    assert [top_count(n) for n in (5, 29, 30, 40, 41)] == [0, 0, 3, 4, 5]
    shuffled = GOOD.copy()
    shuffled[-4:] = ACCURACY[-4:][::-1]  # right on the whole, wrong about the best
    rows = {row.name: row for row in compared(params=FAIR, turned=shuffled).rows}
    assert rows["turned"].top == pytest.approx(-1)
    assert rows["turned"].correlation.spearman > 0.9
