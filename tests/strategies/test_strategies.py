"""What every strategy keeps to: fresh points only, the same answers from the same history, an end when all is known."""

from __future__ import annotations

import pytest

from inception_search.space.space import Space
from inception_search.strategies.protocol import Problem, Proposal, Strategy
from inception_search.strategies.random_search import RandomSearch
from inception_search.strategies.table import find_strategy, make_strategy, names
from inception_search.testing import check_strategy
from inception_search.testing import strategies as laws
from inception_search.testing.playground import World, additive
from inception_search.testing.strategies import StrategyMaker
from tests.shipped import shipped_space
from tests.space.small import small
from tests.study.spaces import THREE_POINTS, TINY

OPTUNAS = ("optuna:RandomSampler", "optuna:NSGAIIISampler")
ANYWHERE = ("random", "tpe", "evolution", "nsga2", "local", "predictor", "grid", *OPTUNAS)
SEVERAL = tuple(name for name in ANYWHERE if name != "grid")


def maker(name: str) -> StrategyMaker:
    options = {"startup": 5} if name in ("gp", "tpe") else {}
    return StrategyMaker(lambda problem: make_strategy(name, problem, **options))


def make(name: str, problem: Problem) -> Strategy:
    return maker(name).make(problem)


@pytest.fixture(scope="module")
def modules() -> Space:
    return shipped_space("inception_modules")


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("name", ANYWHERE)
def test_only_fresh_points_are_proposed(name, workers, modules):
    laws.only_fresh_points_are_proposed(maker(name), modules, workers)


@pytest.mark.parametrize("objectives", [2, 3])
@pytest.mark.parametrize("name", SEVERAL)
def test_several_objectives(name, objectives, modules):
    laws.only_fresh_points_are_proposed(maker(name), modules, 3, objectives)


@pytest.mark.parametrize("objectives", [1, 2])
@pytest.mark.parametrize("name", SEVERAL)
def test_a_search_that_is_told_everything_again_goes_on_the_same_way(name, objectives, modules):
    laws.a_study_goes_on_the_same_way(maker(name), modules, objectives)


@pytest.mark.parametrize(
    "space", [small("uses have holes of their own"), Space(laws.NINE_POINTS)], ids=["uses", "nine"]
)
@pytest.mark.parametrize("name", [*ANYWHERE, "cmaes"])
def test_all_of_a_small_space_and_then_none(name, space):
    laws.all_points_are_found_and_then_none(maker(name), space)


@pytest.mark.parametrize("name", [*ANYWHERE, "gp"])
def test_three_points(name):
    laws.all_points_are_found_and_then_none(maker(name), Space(THREE_POINTS))


@pytest.mark.parametrize("name", ANYWHERE)
def test_one_point(name):
    laws.all_points_are_found_and_then_none(maker(name), small("no hole"))


@pytest.mark.parametrize("space", [TINY, laws.NINE_POINTS], ids=["tiny", "nine"])
@pytest.mark.parametrize("name", ANYWHERE)
def test_all_but_a_few_points_are_outside_the_limits(name, space):
    laws.limits_are_kept(maker(name), Space(space))


@pytest.mark.parametrize("name", ["random", "evolution", pytest.param("tpe", marks=pytest.mark.slow)])
def test_nothing_is_within_the_limits(name, modules):
    world = World(modules, violation=lambda screened: 1.0)
    assert make(name, world.problem).ask(0) is None


@pytest.mark.parametrize("name", SEVERAL)
def test_limits_that_hardly_a_random_point_keeps(name, modules):
    """Half of random networks have more than 158,000 parameters, one in four hundred fewer than 63,000."""
    world = World(modules, violation=lambda screened: max(0.0, screened.cost["params"] / 60_000 - 1.0))
    assert len(world.go(make(name, world.problem), 4)) == 4


@pytest.mark.parametrize("name", ANYWHERE)
def test_failures_alone(name, modules):
    laws.failures_alone_do_not_stop_it(maker(name), modules)


@pytest.mark.parametrize("name", SEVERAL)
def test_a_trial_told_again_counts_as_last_told(name, modules):
    laws.the_later_word_on_a_trial_counts(maker(name), modules)


@pytest.mark.parametrize("name", SEVERAL)
def test_isomorphic_points_are_one(name):
    world = World(shipped_space("nas_bench_201"), trials=15)
    assert len(world.go(make(name, world.problem), 15)) == 15


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_the_whole_suite(name):
    check_strategy(find_strategy(name))


class SaysKnownPoint(RandomSearch):
    def ask(self, number: int) -> Proposal | None:
        return Proposal(self.problem.space.sample(number % 3))


class StopsEarly(RandomSearch):
    def ask(self, number: int) -> Proposal | None:
        return super().ask(number) if number < 5 else None


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (SaysKnownPoint, "a point was proposed that is known"),
        (StopsEarly, "trials in a space that is smaller than the study: found 5, expected 9"),
    ],
)
def test_the_suite_finds_a_strategy_that_breaks_a_law(kind, words):
    with pytest.raises(AssertionError, match=words):
        check_strategy(kind)


def test_playground_knows_all_names():
    assert {*names(), *OPTUNAS} == {*ANYWHERE, "gp", "cmaes"}
    assert 0.0 < additive({"a": 1, "b": "x"}) < 1.0
