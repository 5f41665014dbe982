"""Optuna's samplers as strategies: what they are shown, and that the storage is one."""

from __future__ import annotations

import statistics
from dataclasses import replace
from time import thread_time

import optuna
import pytest
from optuna.samplers import RandomSampler
from optuna.trial import TrialState

from inception_search.measures.budget import Budget
from inception_search.optuna_bridge.engine import SharedHolesTpe
from inception_search.optuna_bridge.list_storage import engine
from inception_search.space.space import Space
from inception_search.strategies.cmaes_search import CmaEs
from inception_search.strategies.evolution import Evolution
from inception_search.strategies.optuna_sampler import Gp, GpOptions, Tpe, TpeOptions, frozen
from inception_search.strategies.protocol import Observation
from inception_search.study.feasibility import make_excess
from inception_search.testing.playground import World, mixed
from tests.shipped import shipped_space
from tests.space.small import small
from tests.study.spaces import TINY


@pytest.fixture(scope="module")
def modules():
    return shipped_space("inception_modules")


def test_trials_as_optuna_sees_them(modules):
    for objectives in (1, 2):
        world = World(modules, objectives=objectives)
        world.go(Evolution(world.problem), 12, state=mixed)
        for observation in world.observations:
            trial = frozen(world.problem, observation)
            assert trial.params == observation.params
            if observation.state == "complete":
                assert trial.state == TrialState.COMPLETE
                assert tuple(trial.values) == observation.losses
                assert all(value <= 0.0 for value in trial.constraints.values())
            elif observation.state == "pruned" and objectives == 1:
                assert trial.state == TrialState.PRUNED
                assert trial.intermediate_values == {3: observation.losses[0]}
            elif observation.state == "pruned":
                assert trial.constraints == {"trained": 0.25}


@pytest.mark.parametrize("objectives", [1, 2])
def test_tpe_proposes_what_optunas_proposes(modules, objectives):
    world = World(modules, objectives=objectives)
    world.go(Evolution(world.problem), 25, state=mixed)
    proposed = []
    for sampler in (SharedHolesTpe, optuna.samplers.TPESampler):
        study = engine((frozen(world.problem, each) for each in world.observations), objectives, sampler(seed=3))
        points = []
        for _ in range(4):  # one is refused, and then part of what is learnt from
            trial = study.ask()
            points.append((trial.relative_params.keys(), modules.suggest(trial)[1]))
            study.tell(trial, state=TrialState.PRUNED)
        proposed.append(points)
    assert proposed[0] == proposed[1]
    assert bool(proposed[0][0][0]) == (objectives == 1)


def test_a_sampler_is_shown_the_best_and_the_latest(modules):
    world = World(modules, trials=50)
    strategy = Tpe(world.problem, TpeOptions(best=5, latest=10))
    ended = world.go(strategy, 40)
    begun = world.begin(strategy, strategy.ask(40))
    shown = list(strategy.shown())
    best = sorted(ended, key=lambda each: each.losses)[:5]
    wanted = [each for each in ended if each in best or each.number >= 30]
    assert [trial.params for trial in shown] == [each.params for each in (*wanted, begun)]
    assert shown[-1].state == TrialState.RUNNING


LIMIT = 1_200_000  # multiply-adds of a point of separable_modules; of 300 random ones none is within


class Asks:
    """A search by TPE under a limit, and how often each trial's ask had it propose a point."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, known: bool) -> None:
        space = shipped_space("separable_modules")
        world = World(space, violation=lambda screened: max(0.0, screened.cost["macs"] / LIMIT - 1.0))
        if known:
            excess = make_excess(space, Budget(max_macs=LIMIT), (1, 14, 14), 10)
            world.problem = replace(world.problem, excess=excess)
        proposed: list[Tpe] = []
        real = Tpe._suggested
        monkeypatch.setattr(Tpe, "_suggested", lambda self, study: proposed.append(self) or real(self, study))
        strategy = Tpe(world.problem)
        self.counts: list[int] = []
        self.ended: list[Observation] = []
        for _ in range(30):
            before = len(proposed)
            self.ended += world.go(strategy, 1)
            self.counts.append(len(proposed) - before)
        self.hows = [each.facts.get("how") for each in self.ended]
        self.macs = [world.screen(each.params).cost["macs"] for each in self.ended]


def test_what_is_outside_the_limits_is_made_as_narrow_as_it_has_to_be(monkeypatch):
    """Every proposal takes ten milliseconds in a long study, and under a tight limit most are outside."""
    asks = Asks(monkeypatch, known=True)
    assert max(asks.macs) <= LIMIT
    fitted = [at for at, how in enumerate(asks.hows) if how == "fitted"]
    assert len(fitted) > 10
    assert statistics.median(asks.counts[at] for at in fitted) == 3
    assert statistics.median(asks.macs[at] for at in fitted) > 0.8 * LIMIT, "narrower than it had to be"
    assert max(asks.counts) <= 10


def test_where_widths_cannot_be_fitted_a_point_near_is_taken_after_a_few_proposals(monkeypatch):
    asks = Asks(monkeypatch, known=False)
    assert max(asks.macs) <= LIMIT
    assert "fitted" not in asks.hows
    assert "near" in asks.hows
    assert max(asks.counts) == 10


def test_the_storage_runs_a_study_of_optunas():
    study = engine([], 1, RandomSampler(seed=0))
    study.set_user_attr("a", 1)
    study.optimize(lambda trial: trial.suggest_int("x", 0, 9) + trial.suggest_float("y", 0.0, 1.0), n_trials=5)
    assert study.user_attrs == {"a": 1}
    assert [trial.number for trial in study.trials] == list(range(5))
    assert study.best_value == min(trial.value for trial in study.trials)
    before = study.get_trials(deepcopy=False)
    trial = study.ask()
    trial.suggest_int("x", 0, 9)
    trial.report(0.5, 1)
    trial.set_user_attr("note", "b")
    study.tell(trial, state=TrialState.PRUNED)
    assert study.trials[-1].intermediate_values == {1: 0.5}
    assert study.trials[-1].user_attrs == {"note": "b"}
    copied = engine(before, 1, RandomSampler(seed=0))
    copied.ask()
    assert len(copied.trials) == 6
    assert [trial.number for trial in before] == list(range(5))


def test_nothing_is_said(modules, caplog, capsys):
    optuna.logging.enable_propagation()
    try:
        world = World(modules, trials=30)
        world.go(Tpe(world.problem), 15, state=mixed)
    finally:
        optuna.logging.disable_propagation()
    assert not caplog.records
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("objectives", [1, 2])
@pytest.mark.slow
def test_gp(objectives):
    world = World(Space(TINY), objectives=objectives)
    strategy = Gp(world.problem, GpOptions(startup=4))
    ended = world.go(strategy, 9, workers=2, state=mixed)
    assert len(ended) == 9
    again = Gp(world.problem, GpOptions(startup=4))
    for observation in world.observations:
        again.tell(observation)
    assert again.ask(9) == strategy.ask(9)


def test_cmaes_generations_and_restarts():
    """A smooth loss of three widths; when the neighbourhood of the best is known it begins anew."""

    def loss(params):
        return sum((float(value) - 4.0) ** 2 for value in params.values())

    world = World(Space(TINY), loss=loss)
    strategy = CmaEs(world.problem)
    ended = world.go(strategy, 40, workers=2)
    assert world.best() == 0.0
    assert {each.facts.get("restart") for each in ended} >= {0, 1}
    assert max(each.facts.get("generation", 0) for each in ended) >= 2
    again = CmaEs(world.problem)
    for observation in world.observations:
        again.tell(observation)
    assert again.ask(40) == strategy.ask(40)


def test_cmaes_begins_at_the_best_that_was_given():
    space = Space(TINY)
    world = World(space, loss=lambda params: float(sum(params.values())))
    strategy = CmaEs(world.problem)
    world.seed(strategy, [space.decode(dict.fromkeys(space.holes, 4)), space.decode(dict.fromkeys(space.holes, 16))])
    assert list(strategy._start(0)) == [0.0, 0.0, 0.0]


def test_cmaes_takes_every_kind_of_number():
    for label in ("logarithmic", "steps of a float", "two integers"):
        world = World(small(label), trials=10)
        assert len(world.go(CmaEs(world.problem), 10)) == min(10, small(label).size)


@pytest.mark.slow
def test_an_ask_stays_quick_in_a_long_study(modules):
    """50 ms on one core at 1,000 trials is the aim; three times that, and something is wrong."""
    world = World(modules, trials=1_000)
    strategy, other = Tpe(world.problem), Evolution(world.problem)
    world.go(other, 1_000)
    for observation in world.observations:
        strategy.tell(observation)
    strategy.ask(1_000)
    begun = thread_time()
    for number in range(1_001, 1_011):
        strategy.ask(number)
    assert (thread_time() - begun) / 10 < 0.15
