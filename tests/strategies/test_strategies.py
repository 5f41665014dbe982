"""What every strategy keeps to: fresh points only, the same answers from the same history, an end when all is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inception_search.space.space import Space
from inception_search.strategies.enumerate_points import walk
from inception_search.strategies.protocol import Candidate, Problem, Strategy
from inception_search.strategies.table import make_strategy, names
from tests.shipped import shipped_space
from tests.space.small import small
from tests.strategies.playground import World, additive, mixed
from tests.study.spaces import THREE_POINTS, TINY

OPTUNAS = ("optuna:RandomSampler", "optuna:NSGAIIISampler")
ANYWHERE = ("random", "tpe", "evolution", "nsga2", "local", "predictor", "grid", *OPTUNAS)
SEVERAL = tuple(name for name in ANYWHERE if name != "grid")


def make(name: str, problem: Problem) -> Strategy:
    options = {"startup": 5} if name in ("gp", "tpe") else {}
    return make_strategy(name, problem, **options)


@pytest.fixture(scope="module")
def modules() -> Space:
    return shipped_space("inception_modules")


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("name", ANYWHERE)
def test_only_fresh_points_are_proposed(name, workers, modules):
    """The playground refuses any that is not; some trials are pruned, some fail."""
    world = World(modules, trials=40)
    assert len(world.go(make(name, world.problem), 40, workers=workers, state=mixed)) == 40
    assert len(world.known) == 40


@pytest.mark.parametrize("objectives", [2, 3])
@pytest.mark.parametrize("name", SEVERAL)
def test_several_objectives(name, objectives, modules):
    world = World(modules, trials=35, objectives=objectives)
    strategy = make(name, world.problem)
    world.seed(strategy, modules.fixed_points.values())
    assert len(world.go(strategy, 25, workers=3, state=mixed)) == 25


@pytest.mark.parametrize("objectives", [1, 2])
@pytest.mark.parametrize("name", SEVERAL)
def test_a_search_that_is_told_everything_again_goes_on_the_same_way(name, objectives, modules):
    world = World(modules, trials=40, objectives=objectives, seed=3)
    strategy = make(name, world.problem)
    world.seed(strategy, list(modules.fixed_points.values())[:3])
    world.go(strategy, 37, workers=2, state=mixed)
    again = make(name, world.problem)
    for observation in world.told:
        again.tell(observation)
    for number in (40, 41):
        assert again.ask(number) == strategy.ask(number)
    ended = make(name, world.problem)  # a study that goes on may tell of ends alone
    for observation in world.told:
        if observation.state != "running":
            ended.tell(observation)
    assert ended.ask(40) == strategy.ask(40)


@pytest.mark.parametrize("name", [*ANYWHERE, "cmaes"])
def test_all_of_a_small_space_and_then_none(name):
    world = World(small("uses have holes of their own"), trials=30)
    strategy = make(name, world.problem)
    assert len(world.go(strategy, 30)) == len(world.known) == 9
    assert strategy.ask(9) is None


@pytest.mark.parametrize("name", [*ANYWHERE, "gp"])
def test_three_points(name):
    world = World(Space(THREE_POINTS))
    strategy = make(name, world.problem)
    assert len(world.go(strategy, 9)) == 3
    assert strategy.ask(3) is None


@pytest.mark.parametrize("name", ANYWHERE)
def test_one_point(name):
    world = World(small("no hole"))
    strategy = make(name, world.problem)
    assert len(world.go(strategy, 3)) == 1
    assert strategy.ask(1) is None


@pytest.mark.parametrize("name", ANYWHERE)
def test_all_but_a_few_points_are_outside_the_limits(name):
    def violation(screened: Candidate) -> float:
        return max(0.0, screened.cost["params"] / 1_165 - 1.0)

    space = Space(TINY)
    screened = map(World(space, violation=violation).screen, walk(space))
    allowed = {str(found.arch_id) for found in screened if found.reason is None}
    assert 1 < len(allowed) < 10
    world = World(space, violation=violation)
    strategy = make(name, world.problem)
    world.go(strategy, 64)
    assert set(world.known) == allowed
    assert strategy.ask(len(world.known)) is None


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
    world = World(modules, trials=30)
    assert len(world.go(make(name, world.problem), 15, state=lambda number: "failed")) == 15


@pytest.mark.parametrize("name", SEVERAL)
def test_a_trial_told_again_counts_as_last_told(name, modules):
    """As a promoted one is: pruned, running again, complete."""
    world = World(modules, trials=30)
    strategy = make(name, world.problem)
    world.go(strategy, 15, state=mixed)
    first = next(each for each in world.told if each.state == "pruned")
    for now in (replace(first, state="running", losses=None), replace(first, state="complete", epochs=9)):
        strategy.tell(now)
        proposal = strategy.ask(15)
        assert proposal is not None
        assert world.screen(proposal.params).fresh


@pytest.mark.parametrize("name", SEVERAL)
def test_isomorphic_points_are_one(name):
    world = World(shipped_space("nas_bench_201"), trials=15)
    assert len(world.go(make(name, world.problem), 15)) == 15


def test_playground_knows_all_names():
    assert {*names(), *OPTUNAS} == {*ANYWHERE, "gp", "cmaes"}
    assert 0.0 < additive({"a": 1, "b": "x"}) < 1.0
