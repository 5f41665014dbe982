"""The suite of strategies: only unseen points, the same proposals for the same history, and an end of small spaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeAlias

from inception_search.errors import ConfigError
from inception_search.options import read_options
from inception_search.space.load_space import load_space
from inception_search.space.space import Space
from inception_search.strategies.enumerate_points import walk
from inception_search.strategies.protocol import Candidate, Problem, Strategy
from inception_search.testing.expect import equal, true
from inception_search.testing.playground import World, mixed

_SPACE = "schema: inception-search/space\nversion: 1\nname: small\nnetwork:\n  name: small\n  input: 3x16x16\n"
NINE_POINTS = _SPACE + (
    "  stages:\n"
    "    a: {conv: {kernel: 3x3, width: {$int: [4, 12, 4]}}}\n"
    "    b: {conv: {kernel: 1x1, width: {$int: [4, 12, 4]}}}\n"
)
ONE_POINT = _SPACE + "  stages: {a: 3x3 8}\n"


@dataclass(frozen=True)
class StrategyMaker:
    """Functions that create a strategy, and that raise ConfigError for unsupported spaces or numbers of objectives."""

    make: Callable[[Problem], Strategy]
    check: Callable[[Space, int], object] = lambda space, objectives: None

    def suits(self, space: Space, objectives: int = 1) -> bool:
        """Whether the strategy supports the space and the number of objectives."""
        try:
            self.check(space, objectives)
        except ConfigError:
            return False
        return True


def maker_of(kind: Any, options: Mapping[str, Any]) -> StrategyMaker:
    """The maker of a strategy class."""
    settings = read_options(kind.settings, options, owner=kind.__name__, path="options")
    return StrategyMaker(lambda problem: kind(problem, settings), getattr(kind, "suits", StrategyMaker.check))


Law: TypeAlias = Callable[[StrategyMaker, Space], None]


def only_fresh_points_are_proposed(maker: StrategyMaker, space: Space, workers: int = 4, objectives: int = 1) -> None:
    """Only unseen points are proposed if some trials are pruned, some fail and several run at the same time."""
    world = World(space, trials=40, objectives=objectives)
    strategy = maker.make(world.problem)
    ended = world.go(strategy, 40, workers=workers, state=mixed)
    equal("trials that ended", len(ended), _at_most(40, space))
    equal("architectures that were trained", len(world.known), len(ended))


def a_study_goes_on_the_same_way(maker: StrategyMaker, space: Space, objectives: int = 1) -> None:
    """A new strategy proposes the same after the same observations; those of ended trials are sufficient."""
    world = World(space, trials=40, objectives=objectives, seed=3)
    strategy = maker.make(world.problem)
    world.seed(strategy, list(space.fixed_points.values())[:3])
    number = len(world.known) + len(world.go(strategy, _at_most(34, space) // 2, workers=2, state=mixed))
    again, ended = maker.make(world.problem), maker.make(world.problem)
    for observation in world.observations:
        again.tell(observation)
        if observation.state != "running":
            ended.tell(observation)
    first = strategy.ask(number)
    equal("the proposal of a new strategy with the same observations", again.ask(number), first)
    equal("the proposal of a new strategy with only the observations of ended trials", ended.ask(number), first)
    equal("its next proposal", again.ask(number + 1), strategy.ask(number + 1))


def all_points_are_found_and_then_none(maker: StrategyMaker, space: Space) -> None:
    """A small space is searched completely, and then ``ask`` returns None."""
    world = World(space, trials=30)
    strategy = maker.make(world.problem)
    equal("trials in a space that is smaller than the study", len(world.go(strategy, 30)), space.size)
    equal("the proposal when every point is known", strategy.ask(len(world.known)), None)


def limits_are_kept(maker: StrategyMaker, space: Space) -> None:
    """If most points are outside the limits, all points within are found, and only these are trained."""
    least = sorted(World(space).screen(params).cost["params"] for params in walk(space))[_at_most(100, space) // 3]

    def violation(screened: Candidate) -> float:
        return max(0.0, screened.cost["params"] / least - 1.0)

    world = World(space, violation=violation)
    allowed = {str(found.arch_id) for found in map(world.screen, walk(space)) if found.reason is None}
    strategy = maker.make(world.problem)
    world.go(strategy, 64)
    equal("architectures that were trained within limits", set(world.known), allowed)
    equal("the proposal when every feasible point is known", strategy.ask(len(world.known)), None)


def failures_alone_do_not_stop_it(maker: StrategyMaker, space: Space) -> None:
    """Points are proposed even if all trials have failed."""
    world = World(space, trials=30)
    trials = _at_most(15, space)
    equal("trials, all failed", len(world.go(maker.make(world.problem), trials, state=lambda _: "failed")), trials)


def the_later_word_on_a_trial_counts(maker: StrategyMaker, space: Space) -> None:
    """After a pruned trial runs again and completes, further proposals are unseen."""
    world = World(space, trials=30)
    strategy = maker.make(world.problem)
    world.go(strategy, _at_most(17, space) - 2, state=mixed)
    first = next(each for each in world.observations if each.state == "pruned")
    for now in (replace(first, state="running", losses=None), replace(first, state="complete", epochs=9)):
        strategy.tell(now)
        proposal = strategy.ask(len(world.known))
        true(proposal is not None, "nothing is proposed after a trial was promoted")
        true(proposal is None or world.screen(proposal.params).fresh, "a point that is known was proposed")


STRATEGY_LAWS: tuple[Law, ...] = (
    only_fresh_points_are_proposed,
    a_study_goes_on_the_same_way,
    failures_alone_do_not_stop_it,
    the_later_word_on_a_trial_counts,
)
"""Rules for any space; :func:`check_strategy` also searches small spaces completely."""


def check_strategy(kind: Any, options: Mapping[str, Any] | None = None) -> None:
    """Check a strategy class with simulated searches in the spaces that it supports.

    Args:
        kind: the class; its constructor takes a ``Problem`` and options, an instance of its class ``settings``.
        options: options of the strategy (default: none, as in a study).

    Raises:
        AssertionError: the strategy breaks a rule; the message names it.

    >>> from inception_search.strategies.random_search import RandomSearch
    >>> check_strategy(RandomSearch)
    """
    maker = maker_of(kind, options or {})
    nine, one = Space(NINE_POINTS), Space(ONE_POINT)
    true(maker.suits(nine), "a strategy suits a space of two whole numbers")
    for space in (nine, one):
        all_points_are_found_and_then_none(maker, space)
    limits_are_kept(maker, nine)
    for space in filter(maker.suits, (_modules(), nine)):
        for law in STRATEGY_LAWS:
            law(maker, space)
    for objectives in (2, 3):
        if maker.suits(_modules(), objectives):
            only_fresh_points_are_proposed(maker, _modules(), objectives=objectives)
            a_study_goes_on_the_same_way(maker, _modules(), objectives)


def _at_most(trials: int, space: Space) -> int:
    """``trials``, or the size of the space if that is smaller."""
    return int(min(trials, space.size))


@cache
def _modules() -> Space:
    return load_space("inception_modules")
