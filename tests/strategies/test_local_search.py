"""Local search: from a point to its neighbours, up as soon as one is better, and a new start when none is."""

from __future__ import annotations

from collections import Counter

import pytest

from inception_search.strategies.local_search import LocalOptions, LocalSearch
from inception_search.testing.playground import World
from tests.shipped import shipped_space

STARTS, PATIENCE = LocalOptions().starts, int(LocalOptions().patience)


@pytest.fixture(scope="module")
def modules():
    return shipped_space("inception_modules")


@pytest.mark.parametrize("workers", [1, 4])
def test_neighbours_of_the_best(modules, workers):
    world = World(modules)
    ended = {each.number: each for each in world.go(LocalSearch(world.problem), 60, workers=workers)}
    starts = [each for each in ended.values() if "from" not in each.facts]
    assert len(starts) >= STARTS
    for each in ended.values():
        if "from" in each.facts:
            before = ended[each.facts["from"]]
            assert each.facts["restart"] == before.facts["restart"]
            assert each.params in list(modules.neighbours(before.params))
    tried = Counter(each.facts.get("from") for each in ended.values())
    assert all(count <= PATIENCE * 30 for number, count in tried.items() if number is not None)


def test_a_neighbour_that_is_better_is_gone_on_from(modules):
    world = World(modules)
    ended = world.go(LocalSearch(world.problem), 60)
    by_number = {each.number: each for each in ended}
    for number in range(STARTS, 60):
        before = by_number[number].facts.get("from")
        if before is not None:
            assert by_number[before].losses == min(each.losses for each in ended[:number])


def test_restarts_where_patience_ends(modules):
    world = World(modules, loss=lambda params: 1.0 if world.known else 0.0)
    world.loss = lambda params: float(len(world.known))  # every trial is worse than all before
    ended = world.go(LocalSearch(world.problem), 200)
    starts = [each.number for each in ended if "from" not in each.facts]
    decisions = len(ended[0].params)
    assert starts[:STARTS] == list(range(STARTS))
    assert Counter(each.facts.get("from") for each in ended)[0] == PATIENCE * decisions
    assert max(each.facts["restart"] for each in ended) == len(starts)


def test_several_objectives_go_on_from_all_of_the_front(modules):
    world = World(modules, objectives=2)
    ended = world.go(LocalSearch(world.problem), 80)
    assert len({each.facts["from"] for each in ended if "from" in each.facts}) > 3


def test_a_given_point_is_a_start(modules):
    world = World(modules)
    strategy = LocalSearch(world.problem)
    world.seed(strategy, modules.fixed_points.values())
    best = min(world.observations, key=lambda each: each.losses or (9.0,))
    proposal = strategy.ask(10)
    assert proposal.facts == {"restart": 0, "from": best.number}
