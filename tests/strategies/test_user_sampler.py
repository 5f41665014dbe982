"""Samplers of Optuna's as strategies: named, given in Python, refused with the reason; a study goes on as it began."""

from __future__ import annotations

import copy
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import optuna
import pytest
from optuna.samplers import (
    BaseSampler,
    BruteForceSampler,
    NSGAIIISampler,
    NSGAIISampler,
    PartialFixedSampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)
from optuna.samplers.nsgaii import SBXCrossover

from inception_search.errors import ConfigError, MissingRequirementError, UnknownNameError
from inception_search.optuna_bridge import named_sampler
from inception_search.optuna_bridge.given_sampler import GivenSampler
from inception_search.optuna_bridge.named_sampler import described, sampler_named
from inception_search.optuna_bridge.sampler_state import plain, reseeded, same
from inception_search.space.space import Space
from inception_search.strategies.table import check, make_strategy
from inception_search.testing.playground import World, mixed
from tests.shipped import shipped_space
from tests.study.spaces import TINY

CONDITIONAL: dict[str, dict[str, Any]] = {
    "optuna:RandomSampler": {},
    "optuna:TPESampler": {"multivariate": True, "n_startup_trials": 5},
    "optuna:NSGAIISampler": {"population_size": 6},
    "optuna:NSGAIIISampler": {"population_size": 6},
}
FLAT = {**CONDITIONAL, "optuna:QMCSampler": {}, "optuna:GPSampler": {"n_startup_trials": 30}}


@pytest.fixture(scope="module")
def modules() -> Space:
    return shipped_space("inception_modules")


@pytest.fixture(scope="module")
def cells() -> Space:
    return shipped_space("nas_bench_201")


class Lowest(BaseSampler):
    """A user's own: it takes what no trial before has tried, hole by hole, and so must see all of them."""

    def __init__(self) -> None:
        self.rng = optuna.samplers.RandomSampler(seed=0)

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        return {}

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        return {}

    def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
        seen = [each.params[param_name] for each in study.get_trials(deepcopy=False) if param_name in each.params]
        choices = getattr(param_distribution, "choices", None)
        if choices is None:
            return self.rng.sample_independent(study, trial, param_name, param_distribution)
        return min(choices, key=seen.count)


@pytest.mark.parametrize("objectives", [1, 2])
@pytest.mark.parametrize("name", CONDITIONAL)
def test_a_conditional_space_is_searched_and_a_search_goes_on_the_same_way(
    name: str, objectives: int, modules: Space
) -> None:
    world = World(modules, trials=30, objectives=objectives, seed=3)
    strategy = make_strategy(name, world.problem, **CONDITIONAL[name])
    world.seed(strategy, list(modules.fixed_points.values())[:4])
    world.go(strategy, 20, workers=2, state=mixed)
    again = make_strategy(name, world.problem, **CONDITIONAL[name])
    for observation in world.observations:
        if observation.state != "running":
            again.tell(observation)
    number = len(world.known)
    proposal = again.ask(number)
    assert proposal is not None
    assert proposal == again.ask(number) == strategy.ask(number)
    assert world.screen(proposal.params).fresh


@pytest.mark.parametrize("name", FLAT)
def test_a_flat_space_is_searched(name: str, cells: Space) -> None:
    world = World(cells, trials=20)
    check(name, cells, 1, FLAT[name])
    assert len(world.go(make_strategy(name, world.problem, **FLAT[name]), 14)) == 14


def test_every_point_of_a_small_space_and_then_none() -> None:
    for name in ("optuna:BruteForceSampler", "optuna:RandomSampler"):
        world = World(Space(TINY), trials=70)
        strategy = make_strategy(name, world.problem)
        world.go(strategy, 70)
        assert strategy.ask(len(world.known)) is None


def test_generations_of_a_genetic_algorithm_are_its_own(cells: Space) -> None:
    """Children are made of the generation before: of trials that ended, given ones among the first of them."""
    world = World(cells, trials=40)
    strategy = make_strategy("optuna:NSGAIIISampler", world.problem, population_size=5)
    world.seed(strategy, [cells.decode(cells.sample(99))])
    ended = world.go(strategy, 16)
    generations = [each.facts["sampler"]["trial"]["NSGAIIISampler:generation"] for each in ended]
    assert generations == [0] * 4 + [1] * 5 + [2] * 5 + [3] * 2
    parents = ended[4].facts["sampler"]["study"]["NSGAIIISampler:parent:1"]
    assert sorted(parents) == [0, 1, 2, 3, 4]


def test_a_quasi_random_sequence_goes_on(cells: Space) -> None:
    world = World(cells, trials=20)
    ended = world.go(make_strategy("optuna:QMCSampler", world.problem), 8)
    (places,) = {tuple(each.facts["sampler"]["study"]) for each in ended[1:]}
    ids = [each.facts["sampler"]["study"][places[0]] for each in ended[1:]]
    assert ids == sorted(set(ids))


def test_a_sampler_that_was_given_sees_every_trial(cells: Space) -> None:
    world = World(cells, trials=30)
    name, options = described(Lowest())
    strategy = make_strategy(name, world.problem, **options)
    ended = world.go(strategy, 5)
    hole = next(iter(cells.holes))
    assert {each.params[hole] for each in ended} == set(cells.holes[hole].domain or ())


def test_a_better_search_than_random(cells: Space) -> None:
    found = {}
    for name, options in (("optuna:TPESampler", {}), ("optuna:RandomSampler", {})):
        worlds = [World(cells, trials=60, seed=seed) for seed in range(2)]
        for world in worlds:
            world.go(make_strategy(name, world.problem, **options), 40)
        found[name] = sum(world.best() for world in worlds)
    assert found["optuna:TPESampler"] < found["optuna:RandomSampler"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("optuna:GPSampler", r"cannot search.*'module\.b0\.width' is there only where.*is 'conv'"),
        ("optuna:QMCSampler", r"cannot search.*'module\.b0\.width' is there only where.*is 'conv'"),
        ("optuna:GridSampler", "cannot be created.*search_space"),
        ("optuna:CmaEsSampler", "keeps its state as a pickle.*strategy: cmaes"),
        ("python:a.module.Own", r"can only be passed from Python.*strategy=Own\(\.\.\.\)"),
    ],
)
def test_what_cannot_search_is_refused_with_why(name: str, told: str, modules: Space) -> None:
    with pytest.raises(ConfigError, match=told):
        check(name, modules)


def test_a_grid_of_its_own_is_refused(cells: Space) -> None:
    with pytest.raises(ConfigError, match=r"it has a grid of its own.*strategy: grid"):
        check("optuna:GridSampler", cells, 1, {"search_space": {"a": [1]}})


def test_a_sampler_that_fails_says_which_hole_may_be_in_the_way(modules: Space, cells: Space) -> None:
    class Broken(Lowest):
        def sample_independent(self, *args: Any) -> Any:
            raise KeyError("width")

    name, options = described(Broken())
    with pytest.raises(ConfigError, match=r"hole 'module\.b0\.width' is there only where.*KeyError: 'width'"):
        check(name, modules, 1, options)
    with pytest.raises(ConfigError, match=r"Broken cannot search space 'nas_bench_201', got KeyError"):
        check(name, cells, 1, options)


def test_one_that_holds_a_lock_is_refused(cells: Space) -> None:
    class Locked(Lowest):
        def __init__(self) -> None:
            super().__init__()
            self.lock = threading.Lock()

    name, options = described(Locked())
    with pytest.raises(ConfigError, match="cannot be copied"):
        check(name, cells, 1, options)


def test_names_and_options_are_checked(cells: Space) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'NSGAIISampler'"):
        check("optuna:NSGA2Sampler", cells)
    with pytest.raises(UnknownNameError):
        check("optuna:BaseSampler", cells)
    with pytest.raises(ConfigError, match=r"has no such option.*did you mean 'population_size'"):
        check("optuna:NSGAIISampler", cells, 1, {"popultion_size": 3})
    with pytest.raises(ConfigError, match=r"cannot be created, got .*population_size"):
        check("optuna:NSGAIISampler", cells, 1, {"population_size": 1})


@pytest.mark.parametrize(
    ("make", "name", "options"),
    [
        (NSGAIIISampler, "optuna:NSGAIIISampler", {}),
        (lambda: NSGAIIISampler(population_size=20, dividing_parameter=4), "optuna:NSGAIIISampler", None),
        (lambda: NSGAIISampler(population_size=20, crossover_prob=0.8), "optuna:NSGAIISampler", None),
        (lambda: TPESampler(n_startup_trials=3, n_ei_candidates=9), "optuna:TPESampler", None),
        (lambda: RandomSampler(seed=5), "optuna:RandomSampler", {}),
        (BruteForceSampler, "optuna:BruteForceSampler", {}),
        (lambda: QMCSampler(seed=7), "optuna:QMCSampler", {"seed": 7}),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_optunas_own_are_remembered_by_name_and_options(
    make: Callable[[], BaseSampler], name: str, options: Any
) -> None:
    sampler = make()
    found, own = described(sampler)
    assert (found, type(found)) == (name, str)
    assert options is None or own == options
    assert same(sampler_named(found, own, 0), sampler)
    if options is None:
        assert own


@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_made_from_plain_values_is_remembered_as_given() -> None:
    samplers = [
        NSGAIISampler(crossover=SBXCrossover()),
        TPESampler(gamma=lambda n: 1),
        PartialFixedSampler({"x": 1}, RandomSampler()),
        Lowest(),
    ]
    for sampler in samplers:
        name, _ = described(sampler)
        assert isinstance(name, GivenSampler)
        assert name == f"python:{type(sampler).__module__}.{type(sampler).__qualname__}"
        assert sampler_named(name, {}, 0) is sampler
        assert copy.deepcopy(name) == name


@pytest.mark.filterwarnings("ignore")
def test_random_numbers_follow_from_the_seed_alone() -> None:
    given = NSGAIIISampler(seed=1)
    one, other = reseeded(given, 5), reseeded(NSGAIIISampler(seed=2), 5)
    assert one._rng.rng.random() == other._rng.rng.random() != reseeded(given, 6)._rng.rng.random()
    assert one._random_sampler._rng.rng.random() == other._random_sampler._rng.rng.random()


def test_pickles_are_neither_kept_nor_believed(cells: Space) -> None:
    blob = "80049" * 60
    assert plain({"a": 1, "b": [1.5, None, {"c": "text, spoken"}], "d": blob, "e": float("nan"), "f": [object()]}) == {
        "a": 1,
        "b": [1.5, None, {"c": "text, spoken"}],
    }

    class Pickling(Lowest):
        def before_trial(self, study: Any, trial: Any) -> None:
            study._storage.set_trial_system_attr(trial._trial_id, "state", blob)

    name, options = described(Pickling())
    with pytest.raises(ConfigError, match=r"keeps its state as a pickle.*got state"):
        make_strategy(name, World(cells).problem, **options).ask(0)


def test_optunahub_is_optional(monkeypatch: pytest.MonkeyPatch, cells: Space) -> None:
    monkeypatch.setattr(named_sampler, "find_spec", lambda name: None)
    with pytest.raises(MissingRequirementError, match="pip install optunahub"):
        check("optunahub:samplers/simulated_annealing", cells)


def test_samplers_of_optunahub_are_loaded_by_the_name_of_their_package(
    monkeypatch: pytest.MonkeyPatch, cells: Space
) -> None:
    packages = {
        "samplers/one": SimpleNamespace(
            __all__=["Lowest", "RandomSampler"], Lowest=Lowest, RandomSampler=RandomSampler
        ),
        "samplers/two": SimpleNamespace(__all__=["A", "B"], A=Lowest, B=Lowest),
    }
    monkeypatch.setattr(named_sampler, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "optunahub", SimpleNamespace(load_module=lambda package: packages[package]))  # type: ignore[arg-type]
    world = World(cells, trials=10)
    assert len(world.go(make_strategy("optunahub:samplers/one", world.problem), 3)) == 3
    check("optunahub:samplers/two:B", cells)
    with pytest.raises(ConfigError, match=r"does not have exactly one sampler.*expected one of A, B"):
        check("optunahub:samplers/two", cells)
    for hostile in ("optunahub:../../runs/a", "optunahub:/a", "optunahub:", "optunahub:samplers/../a"):
        with pytest.raises(ConfigError, match=r"not the name of a package.*expected optunahub:samplers/NAME"):
            check(hostile, cells)
    with pytest.raises(ConfigError, match="'samplers/none' of OptunaHub cannot be loaded"):
        check("optunahub:samplers/none", cells)
