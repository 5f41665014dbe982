"""Regularized evolution and NSGA-II on trees: who is a parent, who lives, what a child says of itself."""

from __future__ import annotations

import pytest

from inception_search.strategies.evolution import Evolution, population_size
from inception_search.strategies.history import best_first, leaders
from inception_search.strategies.nsga2 import Nsga2
from inception_search.strategies.protocol import Observation
from inception_search.testing.playground import World
from tests.shipped import shipped_space


@pytest.fixture(scope="module")
def modules():
    return shipped_space("inception_modules")


def told(number, losses, epochs=9, facts=None):
    return Observation(number, {}, str(number), "complete", losses, epochs, facts=facts or {"edit": "drawn"})


def test_population_size():
    assert [population_size(trials) for trials in (10, 40, 60, 200, 400, 5_000)] == [10, 10, 15, 30, 40, 50]


def test_the_oldest_dies_by_the_order_of_ending(modules):
    strategy = Evolution(World(modules, trials=20).problem)
    for number in (3, 0, 1, *range(4, 12)):
        strategy.tell(told(number, (float(number),)))
    assert [each.number for each in strategy.population()] == [0, 1, *range(4, 12)]


def test_a_quarter_of_the_population_is_given_at_most_and_the_best_of_that(modules):
    strategy = Evolution(World(modules, trials=20).problem)
    for number in range(8):
        strategy.tell(told(number, (abs(number - 4.5),), facts={"label": "v1_3a"}))
    assert [each.number for each in strategy.population()] == [4, 5]
    strategy.tell(told(8, (9.0,)))
    assert [each.number for each in strategy.population()] == [4, 5, 8]


def test_random_until_the_population_is_full_then_children(modules):
    world = World(modules, trials=20)
    strategy = Evolution(world.problem)
    world.seed(strategy, list(modules.fixed_points.values())[:4])  # two of them count
    ended = world.go(strategy, 20)
    edits = [each.facts["edit"] for each in ended]
    assert edits[:8] == ["drawn"] * 8
    assert "drawn" not in edits[8:]
    for child in ended[8:]:
        assert isinstance(child.facts["parent"], int)
        assert child.facts["parent"] < child.number


def test_children_of_two_parents(modules):
    world = World(modules, trials=20, objectives=2)
    ended = world.go(Nsga2(world.problem), 40)
    both = [each for each in ended if "parents" in each.facts]
    assert len(both) > 15
    assert all(len(set(each.facts["parents"])) == 2 for each in both)
    assert any(each.facts["edit"] == "crossed" for each in both)
    assert any(each.facts["edit"].startswith("crossed; ") for each in both)


def test_longer_training_stands_before_less_loss():
    trials = [told(0, (0.1,), 3), told(1, (0.5,)), told(2, (0.4,)), told(3, (0.2,), 3), told(4, (0.4,))]
    assert [each.number for each in best_first(trials)] == [2, 4, 1, 0, 3]
    assert [each.number for each in leaders(trials)] == [2, 4]
    assert best_first([]) == leaders([]) == []


def test_fronts_stand_in_order_and_their_ends_first():
    front = [told(0, (0.0, 1.0)), told(1, (0.5, 0.6)), told(2, (0.6, 0.5)), told(3, (1.0, 0.0))]
    behind = [told(4, (0.7, 0.7)), told(5, (0.0, 0.0), 3)]
    assert [each.number for each in best_first([*behind, *front])] == [0, 3, 1, 2, 4, 5]
    assert [each.number for each in leaders([*behind, *front])] == [0, 1, 2, 3]
