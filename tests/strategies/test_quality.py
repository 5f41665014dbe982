"""Strategies against random search on a made-up loss that is additive over decisions, many seeds each."""

from __future__ import annotations

from functools import cache
from statistics import mean, stdev

import pytest

from inception_search.analysis.pareto import hypervolume
from inception_search.strategies.table import make_strategy
from inception_search.testing.playground import World
from tests.shipped import shipped_space

TRIALS = 80  # half of them are the first population of NSGA-II and evolution at 60
MODULES = shipped_space("inception_modules")


@cache
def best(name, seed):
    world = World(MODULES, trials=TRIALS, seed=seed)
    world.go(make_strategy(name, world.problem), TRIALS, workers=2)
    return world.best()


@cache
def volume(name, seed):
    world = World(MODULES, trials=120, seed=seed, objectives=2)
    ended = world.go(make_strategy(name, world.problem), 120, workers=2)
    return hypervolume([end.losses for end in ended], (0.6, 20.0))


def t_statistic(one, other):
    """Welch's; 3 is a chance of about one in a thousand with ten seeds."""
    spread = (stdev(one) ** 2 / len(one) + stdev(other) ** 2 / len(other)) ** 0.5
    return (mean(other) - mean(one)) / spread


@pytest.mark.parametrize("name", ["evolution", "local", "predictor"])
def test_better_than_random(name):
    random = [best("random", seed) for seed in range(4)]
    assert best(name, 0) < mean(random) - stdev(random)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tpe", "evolution", "nsga2", "local", "predictor"])
def test_significantly_better_than_random(name):
    assert t_statistic([best(name, seed) for seed in range(8)], [best("random", seed) for seed in range(8)]) > 3.0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tpe", "nsga2", "local", "predictor"])
def test_more_hypervolume_than_random(name):
    found, random = ([-volume(each, seed) for seed in range(5)] for each in (name, "random"))
    assert t_statistic(found, random) > 3.0
