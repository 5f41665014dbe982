"""Points made as wide as a budget allows: within it, nothing but widths changed, and hardly any room left."""

from __future__ import annotations

import random
import statistics
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inception_search.estimate import estimate
from inception_search.measures.budget import Budget
from inception_search.space.holes import Integer, Params
from inception_search.space.space import Space
from inception_search.strategies.candidate_pool import CandidatePool
from inception_search.strategies.features import Decisions
from inception_search.strategies.protocol import Observation, Problem
from inception_search.strategies.scale_to_budget import FACTORS, drawn, fitted
from inception_search.strategies.unseen_point import fresh_point
from inception_search.strategies.variation import Variation, mutant
from inception_search.study.feasibility import make_excess
from inception_search.testing.playground import World
from tests.shipped import shipped_space
from tests.study.spaces import TINY

MODULES = shipped_space("separable_modules")
LIMIT = 1_800_000


@cache
def problem(limit: int = LIMIT, space: Space = MODULES) -> Problem:
    excess = make_excess(space, Budget(max_macs=limit), (1, 14, 14), 10)
    return replace(World(space).problem, excess=excess)


def macs(params: Params) -> int:
    return estimate(MODULES.decode(params)).macs


def depth(params: Params) -> int:
    return estimate(MODULES.decode(params)).depth


def widths(params: Params) -> dict[str, int]:
    return {name: int(value) for name, value in params.items() if isinstance(MODULES.holes[name], Integer)}


@given(st.integers(0, 10**6))
def test_within_the_limit_and_nothing_but_widths_changed(seed: int) -> None:
    params = MODULES.sample(random.Random(seed))
    found = fitted(problem(), params)
    if found is None:  # even an eighth of these widths is too much
        narrow = {name: 4 * max(1, value // 32) for name, value in widths(params).items()}
        assert macs({**params, **narrow}) > LIMIT * 0.8
        return
    assert macs(found) <= LIMIT
    assert {**found, **widths(params)} == params


def test_a_cheaper_kernel_is_given_the_width_that_it_saves() -> None:
    module = dict(MODULES.encode(MODULES.fixed_points["v1_3a"]))
    cheaper = MODULES.changed(module, {"module.b1.1": "3x3_depthwise"})
    found = fitted(problem(), cheaper)
    assert found is not None
    assert macs(cheaper) < 0.7 * LIMIT
    assert 0.8 * LIMIT < macs(found) <= LIMIT
    grown = {name: found[name] / cheaper[name] for name in widths(cheaper)}
    assert min(grown.values()) >= 1.0
    assert max(grown.values()) > 1.2


def test_the_widest_factor_is_taken_where_all_are_within_and_none_where_none_is() -> None:
    point = {name: min(value, 8) if isinstance(value, int) else value for name, value in _first().items()}
    assert fitted(problem(10**12), point) == {**point, **dict.fromkeys(widths(point), 48)}
    assert max(FACTORS) == 8.0
    assert fitted(problem(1000), point) is None


def test_few_looks_find_the_widest_factor_that_fits() -> None:
    looks: list[Params] = []
    real = problem().excess
    assert real is not None

    def excess(params: Params) -> float:
        looks.append(params)
        return real(params)

    counted = replace(problem(), excess=excess)
    total = 0
    for seed in range(20):
        looks.clear()
        found = fitted(counted, MODULES.sample(random.Random(seed)))
        total += len(looks)
        assert found == max((each for each in looks if real(each) <= 0.0), key=macs, default=None)
        assert found is None or any(real(each) > 0.0 for each in looks)
    assert total <= 20 * 4  # halving the range takes 5.8


def test_without_an_upper_limit_points_stay_as_they_are() -> None:
    assert make_excess(MODULES, Budget(min_macs=5), (1, 14, 14), 10) is None
    assert make_excess(MODULES, Budget(max_depth=50), (1, 14, 14), 10) is None  # no width changes that
    free = World(MODULES).problem
    assert fitted(free, _first()) is not None
    assert fitted(free, _first()) == _first()


def test_what_is_no_network_has_no_room() -> None:
    excess = make_excess(Space(TINY), Budget(max_macs=10**9), (1, 1, 1), 10)
    assert excess is not None
    point = Space(TINY).sample(random.Random(0))
    assert -1.0 < excess(point) < 0.0
    assert excess({**point, next(iter(point)): -1}) == 1.0


def test_children_under_a_budget_are_mostly_fitted_and_say_so() -> None:
    rng, found = random.Random(0), []
    for _ in range(40):
        child = mutant(problem(), _first(), rng, Variation())
        assert child is not None
        found.append(child)
    said = [child.edit.endswith("; widths fitted to the limits") for child in found]
    assert 10 < sum(said) < 40
    assert all(macs(child.params) <= LIMIT for child, fit in zip(found, said, strict=True) if fit)
    free = World(MODULES).problem
    assert not any("fitted" in mutant(free, _first(), random.Random(seed), Variation()).edit for seed in range(20))  # type: ignore[union-attr]


def test_random_points_are_made_simpler_rather_than_thin() -> None:
    drawn_points = [drawn(problem(), random.Random(seed)) for seed in range(20)]
    found = [point for point in drawn_points if point is not None]
    samples = [MODULES.sample(random.Random(seed)) for seed in range(20)]
    thin = [point for point in (fitted(problem(), each) for each in samples) if point is not None]
    assert len(found) == 20
    assert all(macs(point) <= LIMIT for point in found)
    assert statistics.fmean(map(depth, found)) < 0.9 * statistics.fmean(map(depth, thin))
    assert statistics.fmean(map(macs, found)) > 0.9 * LIMIT
    free = World(MODULES).problem
    assert drawn(free, random.Random(3)) == MODULES.sample(random.Random(3))


def test_random_points_to_begin_with_are_fitted_where_that_is_asked_for() -> None:
    tight = problem()
    drawn = [fresh_point(tight, random.Random(seed), fit=True) for seed in range(5)]
    assert all(point is not None and 0.8 * LIMIT < macs(point) <= LIMIT for point in drawn)


@pytest.mark.parametrize("share", [0.5, 1.0, 2.0])
def test_the_excess_is_relative_and_negative_within(share: float) -> None:
    point = _first()
    limit = int(macs(point) * share)
    excess = make_excess(MODULES, Budget(max_macs=limit), (1, 14, 14), 10)
    assert excess is not None
    assert excess(point) == pytest.approx(macs(point) / limit - 1.0)


def test_the_prospects_of_a_study_with_a_budget_are_within_it() -> None:
    """Of 100 random points of the space not one is."""
    parent = dict(MODULES.encode(MODULES.fixed_points["v1_3a"]))
    told = Observation(5, parent, "5", "complete", (0.1,), 9)
    found = CandidatePool(problem(), Decisions(MODULES)).of([told], 3)
    drawn = [each for each in found if each.parent is None]
    mutants = [each for each in found if each.parent == 5]
    assert sum(macs(each.params) <= LIMIT for each in drawn) > 0.5 * len(drawn)
    assert sum(macs(each.params) <= LIMIT for each in mutants) > 0.7 * len(mutants)
    assert sum(0.8 * LIMIT < macs(each.params) <= LIMIT for each in drawn) > 0.4 * len(drawn)


def _first() -> Params:
    return dict(MODULES.encode(MODULES.fixed_points["v4_a"]))
