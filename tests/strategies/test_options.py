"""Options of strategies: each is read, refused with the nearest name where it is none, and changes what it says."""

from __future__ import annotations

from typing import Any

import pytest

from inception_search.errors import ConfigError
from inception_search.options import meanings
from inception_search.space.space import Space
from inception_search.strategies.table import STRATEGIES, check, find_strategy, make_strategy
from inception_search.testing.playground import World
from tests.shipped import shipped_space
from tests.study.spaces import TINY

OPTIONS = {name: find_strategy(name).settings for name in STRATEGIES}
EVERY = [(name, option) for name, kind in OPTIONS.items() for option in kind.model_fields]


@pytest.fixture(scope="module")
def modules() -> Space:
    return shipped_space("inception_modules")


@pytest.mark.parametrize(("name", "option"), EVERY)
def test_every_option_says_what_it_is_and_refuses_what_it_is_not(name: str, option: str) -> None:
    space = Space(TINY)
    assert meanings(OPTIONS[name])[option].endswith(".")
    default = OPTIONS[name]().model_dump()[option]
    check(name, space, 1, {} if default is None else {option: default})
    with pytest.raises(ConfigError, match=rf"not a usable option of strategy {name}.*got 'many'") as refused:
        check(name, space, 1, {option: "many"})
    assert refused.value.place.path == f"strategy_options.{option}"
    with pytest.raises(ConfigError, match=f"strategy {name} has no such option.*did you mean '{option}'"):
        check(name, space, 1, {f"{option}z": 1})


def test_a_strategy_without_options_says_so() -> None:
    with pytest.raises(ConfigError, match=r"strategy random has no such option.*expected no options"):
        check("random", Space(TINY), 1, {"startup": 3})


def test_numbers_are_written_as_people_do(modules: Space) -> None:
    strategy: Any = make_strategy("predictor", World(modules).problem, learnt="1k", boldness="2")
    assert (strategy.options.learnt, strategy.boldness) == (1000, 2.0)


@pytest.mark.parametrize("name", ["evolution", "nsga2"])
def test_the_population_fills_before_children_are_made(name: str, modules: Space) -> None:
    world = World(modules, trials=100)
    ended = world.go(make_strategy(name, world.problem, population=4), 10)
    assert [each.facts["edit"] == "drawn" for each in ended] == [True] * 4 + [False] * 6


def test_children_of_crossover_alone(modules: Space) -> None:
    world = World(modules, trials=40)
    ended = world.go(make_strategy("nsga2", world.problem, population=4, crossover=1, mutation=0), 14)
    assert "crossed" in {each.facts["edit"] for each in ended}
    assert not any(each.facts["edit"].startswith("crossed;") for each in ended)


def test_a_tournament_of_the_whole_population_breeds_the_best(modules: Space) -> None:
    world = World(modules, trials=40)
    ended = world.go(make_strategy("evolution", world.problem, population=5, tournament=9), 6)
    best = min(ended[:5], key=lambda each: each.losses or ())
    assert ended[5].facts["parent"] == best.number


def test_local_search_starts_as_often_as_it_is_told(modules: Space) -> None:
    world = World(modules, trials=40)
    ended = world.go(make_strategy("local", world.problem, starts=8), 12)
    assert ["from" in each.facts for each in ended] == [False] * 8 + [True] * 4


def test_the_predictor_learns_when_it_is_told(modules: Space) -> None:
    world = World(modules, trials=40)
    ended = world.go(make_strategy("predictor", world.problem, startup=3, random=5, mutants=4), 8)
    assert all(each.facts["parent"] is None for each in ended[:3])
    assert any(each.facts["parent"] is not None for each in ended[3:])


def test_cmaes_has_generations_of_the_size_it_is_told() -> None:
    world = World(Space(TINY), trials=20)
    ended = world.go(make_strategy("cmaes", world.problem, population=5), 12)
    assert [each.facts["generation"] for each in ended] == [0] * 5 + [1] * 5 + [2] * 2
