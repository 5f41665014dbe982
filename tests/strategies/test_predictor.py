"""The predictor's parts: points as numbers, orders as targets, a Gaussian process against scikit-learn's."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF

from inception_search.space.space import Space
from inception_search.strategies import gaussian_process as surrogate
from inception_search.strategies import predictor as merit
from inception_search.strategies.candidate_pool import MANY, PERIOD, CandidatePool
from inception_search.strategies.features import Decisions, costs
from inception_search.strategies.gaussian_process import GaussianProcess, Shape
from inception_search.strategies.predictor import merits
from inception_search.strategies.protocol import Observation
from inception_search.strategies.table import make_strategy
from inception_search.testing.playground import World, additive
from tests.shipped import shipped_space
from tests.study.spaces import TINY

CELLS = shipped_space("nas_bench_201")
MODULES = shipped_space("inception_modules")


def distance(space: Space, one: dict, other: dict) -> float:
    decisions = Decisions(space)
    return float(((decisions.row(one) - decisions.row(other)) ** 2).sum())


@given(st.integers(0, 10**6))
def test_the_squared_distance_counts_decisions_that_differ(seed: int) -> None:
    rng = random.Random(seed)
    one, other = CELLS.sample(rng), CELLS.sample(rng)
    assert distance(CELLS, one, other) == pytest.approx(sum(one[name] != other[name] for name in one))


def test_a_number_differs_by_as_much_of_its_range() -> None:
    point = Space(TINY).sample(random.Random(0))
    name, hole = next(iter(Space(TINY).holes.items()))
    assert distance(Space(TINY), {**point, name: hole.low}, {**point, name: hole.high}) == pytest.approx(1.0)
    assert distance(Space(TINY), point, {**point, name: point[name]}) == 0.0


@given(st.integers(0, 10**6))
def test_points_with_other_holes_have_rows_of_the_same_width(seed: int) -> None:
    decisions = Decisions(MODULES)
    point = MODULES.sample(random.Random(seed))
    row = decisions.row(point)
    assert row.shape == (decisions.width,)
    assert decisions.counts(row[None]).sum() == pytest.approx(row.sum())
    name = next(iter(point))
    assert not np.array_equal(row, decisions.row({key: value for key, value in point.items() if key != name}))


def test_counts_do_not_tell_edges_apart() -> None:
    decisions = Decisions(CELLS)
    holes = sorted(CELLS.holes)
    ops = ["none", "none", "nor_conv_3x3", "nor_conv_3x3", "skip_connect", "avg_pool_3x3"]
    rows = np.stack([decisions.row(dict(zip(holes, order, strict=True))) for order in (ops, ops[::-1])])
    counts = decisions.counts(rows)
    assert np.allclose(counts[0], counts[1])
    assert not np.allclose(rows[0], rows[1])


def test_costs_are_those_known_of_all_and_standardised() -> None:
    table = costs([{"macs": 1e6, "params": 10, "zen": 1.0}, {"macs": 4e6, "params": 10}, {"macs": 2e6, "params": 10}])
    assert table.shape == (3, 1)
    assert table.mean() == pytest.approx(0.0)
    assert table.std() == pytest.approx(1.0)
    assert table[2, 0] == pytest.approx(0.0, abs=1e-5)  # 2e6 is the geometric middle
    assert costs([{"zen": math.nan}, {"zen": 1.0}]).shape == (2, 0)


def told(number: int, loss: float | tuple[float, ...] | None, epochs: int = 9, state: str = "complete") -> Observation:
    losses = loss if loss is None or isinstance(loss, tuple) else (loss,)
    return Observation(number, {}, str(number), state, losses=losses, epochs=epochs)  # type: ignore[arg-type]


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=30))
def test_merit_is_the_order_alone(values: list[float]) -> None:
    found = merits([told(number, value) for number, value in enumerate(values)], random.Random(0))
    assert found.mean() == pytest.approx(0.0, abs=1e-9)
    for one, other in zip(range(len(values)), range(1, len(values)), strict=False):
        assert np.sign(found[one] - found[other]) == np.sign(values[other] - values[one])


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_ranks_are_those_of_scipy(values: list[int]) -> None:
    assert np.array_equal(merit._ranks(np.array(values, dtype=float)), rankdata(values))


def test_trained_longer_comes_before_pruned_before_failed() -> None:
    pruned = told(1, 0.0, epochs=3, state="pruned")
    failed = told(2, None, epochs=0, state="failed")
    infinite, missing = told(3, math.inf), told(4, math.nan)
    found = merits([told(0, 0.5), pruned, failed, infinite, missing], random.Random(0))
    assert found[0] > found[3] == found[4] > found[1] > found[2]


def test_of_several_objectives_a_dominated_trial_is_never_best() -> None:
    trials = [told(0, (1.0, 4.0)), told(1, (4.0, 1.0)), told(2, (5.0, 5.0)), told(3, (1.5, 4.5))]
    best = {int(np.argmax(merits(trials, random.Random(seed)))) for seed in range(60)}
    assert best == {0, 1}


def test_the_process_predicts_what_scikit_learn_does(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = Shape((1.0,), 0.5, 0.1)
    monkeypatch.setattr(surrogate, "_drawn", lambda *_: shape)
    generator = np.random.default_rng(0)
    points, targets, asked = generator.normal(size=(40, 5)), generator.normal(size=40), generator.normal(size=(7, 5))
    ours = GaussianProcess([points], targets, random.Random(0))
    mean, deviation = ours.predict([asked])
    kernel = RBF(math.sqrt(ours.scales[0] * shape.length / 2.0))
    theirs = GaussianProcessRegressor(kernel, alpha=shape.noise, optimizer=None).fit(points, targets - targets.mean())
    expected, spread = theirs.predict(asked, return_std=True)
    assert np.allclose(mean, expected + targets.mean())
    assert np.allclose(deviation, spread * math.sqrt(ours.variance))


def test_what_is_believed_makes_surer_and_leaves_the_mean() -> None:
    generator = np.random.default_rng(1)
    points, targets = generator.normal(size=(30, 4)), generator.normal(size=30)
    model = GaussianProcess([points, points[:, :2]], targets, random.Random(0))
    asked = generator.normal(size=(3, 4))
    before = model.predict([asked, asked[:, :2]])
    model.believe([asked, asked[:, :2]])
    after = model.predict([asked, asked[:, :2]])
    assert np.allclose(before[0], after[0], atol=1e-6)
    assert (after[1] < before[1]).all()


def test_a_smooth_function_is_learnt() -> None:
    generator = np.random.default_rng(2)
    points = generator.normal(size=(80, 3))
    function = lambda at: np.sin(at[:, 0]) + 0.5 * at[:, 1]  # noqa: E731
    model = GaussianProcess([points], function(points), random.Random(0))
    asked = generator.normal(size=(200, 3))
    assert np.corrcoef(model.predict([asked])[0], function(asked))[0, 1] > 0.9


def test_equal_targets_and_equal_points_are_no_trouble() -> None:
    for points, targets in (
        (np.zeros((9, 3)), np.arange(9.0)),
        (np.eye(9), np.zeros(9)),
        (np.ones((9, 0)), np.ones(9)),
    ):
        mean, deviation = GaussianProcess([points], targets, random.Random(0)).predict([points])
        assert np.isfinite(mean).all()
        assert np.isfinite(deviation).all()


def test_prospects_are_neighbours_of_parents_and_the_same_for_a_while() -> None:
    world = World(CELLS)
    parent = replace(told(5, 0.1), params=CELLS.sample(random.Random(3)))
    decisions = Decisions(CELLS)
    prospects = CandidatePool(world.problem, decisions).of([parent], 3)
    mutants = [each for each in prospects if each.parent == 5]
    assert mutants
    apart = {round(distance(CELLS, each.params, parent.params), 6) for each in mutants}
    assert apart <= {0.0, 1.0, 2.0}
    again = CandidatePool(world.problem, decisions)
    assert [each.params for each in again.of([parent], 4)] == [each.params for each in prospects]
    assert [each.params for each in again.of([parent], 3 + PERIOD)] != [each.params for each in prospects]


@given(st.integers(0, 10**6))
@settings(max_examples=2, deadline=None)  # each draws a thousand points
def test_random_prospects_of_a_flat_space_are_many_and_as_the_space_draws_them(seed: int) -> None:
    problem = replace(World(CELLS).problem, seed=seed)
    drawn = [each.params for each in CandidatePool(problem, Decisions(CELLS)).of([], 0)]
    assert len(drawn) == MANY
    assert all(set(params) == set(CELLS.sample(0)) for params in drawn)
    for name, hole in CELLS.holes.items():
        counts = Counter(params[name] for params in drawn)
        assert set(counts) <= set(hole.domain)
        assert min(counts[value] for value in hole.domain) > MANY / len(hole.domain) / 3


def test_widths_may_grow_by_much_at_once() -> None:
    space = shipped_space("separable_modules")
    parent = replace(told(5, 0.1), params=dict(space.encode(space.fixed_points["v1_3a"])))
    prospects = CandidatePool(World(space).problem, Decisions(space))
    mutants = [each.params for number in range(0, 60, PERIOD) for each in prospects.of([parent], number) if each.parent]
    before = parent.params["module.b0.width"]
    assert {4 * step for step in (1, 2, 4, 8)} & {each.get("module.b0.width", before) - before for each in mutants}
    assert max(each.get("module.b0.width", before) for each in mutants) >= before + 16


def test_it_says_which_trial_a_proposal_comes_from() -> None:
    world = World(CELLS, trials=40)
    world.go(make_strategy("predictor", world.problem), 40)
    parents = [each.facts["parent"] for each in world.observations if each.state == "running"]
    assert parents[:8] == [None] * 8
    assert any(isinstance(parent, int) for parent in parents[8:])
    assert world.best() < min(additive(CELLS.sample(random.Random(seed))) for seed in range(40))


def test_it_draws_before_it_follows_what_was_given() -> None:
    world = World(MODULES, trials=80)
    strategy = make_strategy("predictor", world.problem)
    world.seed(strategy, MODULES.fixed_points.values())
    ended = world.go(strategy, 14)
    assert [each.facts["parent"] is None for each in ended[:10]] == [True] * 10
    assert any(each.facts["parent"] is not None for each in ended[10:])
