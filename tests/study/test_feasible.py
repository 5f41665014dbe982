"""What is asked before a search is begun."""

from pathlib import Path

import pytest

from inception_search.errors import ConfigError, NotInSpaceError
from inception_search.measures import sample_within as sample_module
from inception_search.measures.budget import Budget
from inception_search.measures.measure import measures
from inception_search.space.space import Space
from inception_search.spec.transform import remake
from inception_search.study.config import StudyConfig
from inception_search.study.context import StudyContext
from inception_search.study.feasibility import Screen, Seen, check_feasible
from tests.study.spaces import TINY

SHAPE = (1, 8, 8)


@pytest.fixture
def space() -> Space:
    """So many points that no sample meets the narrowest."""
    return Space(TINY.replace("[4, 16, 4]", "[4, 256, 4]"))


def lowest(space: Space) -> int:
    """The parameters of the narrowest point."""
    return measures(space.decode(dict.fromkeys(space.holes, 4)))["params"]


def test_a_budget_that_only_a_repaired_point_meets_is_feasible(space: Space) -> None:
    budget = Budget(max_params=lowest(space))
    found = sample_module.sample_within(space, budget, tries=64, shape=SHAPE, classes=10)
    assert found.origin == "repaired", "a draw meets it: take a wider space"
    check_feasible(space, budget, SHAPE, 10, baselines=False)


def test_a_budget_that_no_point_meets_is_not(space: Space) -> None:
    limit = lowest(space) - 1
    words = rf"the nearest: {limit + 1:,} parameters are over the budget of {limit:,}; raise max_params"
    with pytest.raises(ConfigError, match=words):
        check_feasible(space, Budget(max_params=limit), SHAPE, 10, baselines=False)


def test_a_baseline_within_the_budget_is_enough(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inception_search.study.feasibility.sample_within", pytest.fail)
    check_feasible(space, Budget(), SHAPE, 10, baselines=True)


def test_what_a_space_says_it_contains_is_in_it() -> None:
    with pytest.raises(NotInSpaceError, match=r"contains\.v1_3a"):
        check_feasible(Space(TINY.replace("0.0625", "0.5")), Budget(), SHAPE, 10, baselines=False)


def test_a_proposed_point_is_trained_as_the_space_writes_it() -> None:
    """A strategy may propose what ``encode`` gave; how that network was written is no part of its point."""
    space = Space(TINY)
    context = StudyContext(StudyConfig.of(strategy="random"), space, Path("nowhere"), SHAPE, 10, {}, "cpu", None)
    point = space.encode(remake(space.draw(0)[0], name="mine"))
    candidate = Screen(context, Budget(), Seen())(point)
    assert space.decode(point).name == "mine"
    assert candidate.network is not None
    assert candidate.network.name == "tiny"


@pytest.mark.parametrize(
    ("options", "fits"),
    [
        ({"max_macs": 10**7}, True),
        ({"max_params": 10**5, "objectives": "loss"}, True),
        ({"max_macs": 10**7, "objectives": "accuracy,macs"}, False),
        ({"max_macs": 10**7, "objectives": "accuracy,seconds"}, False),
        ({"max_depth": 50}, False),
        ({}, False),
    ],
)
def test_strategies_use_a_budget_up_where_cost_is_no_objective_itself(fake_study, options, fits):
    driver = fake_study(strategy="evolution", **options).driver_for()
    assert (driver.proposer.strategy.problem.excess is not None) == fits
