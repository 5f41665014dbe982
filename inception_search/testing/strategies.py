"""The suite of strategies: fresh points only, the same answers from the same history, an end when all is known."""

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
    """How a strategy is made, and which spaces and numbers of objectives it refuses (with a ConfigError)."""

    make: Callable[[Problem], Strategy]
    check: Callable[[Space, int], object] = lambda space, objectives: None

    def suits(self, space: Space, objectives: int = 1) -> bool:
        """Whether the strategy takes such a problem."""
        try:
            self.check(space, objectives)
        except ConfigError:
            return False
        return True


def maker_of(kind: Any, options: Mapping[str, Any]) -> StrategyMaker:
    """How the strategy of a class is made."""
    settings = read_options(kind.settings, options, owner=kind.__name__, path="options")
    return StrategyMaker(lambda problem: kind(problem, settings), getattr(kind, "suits", StrategyMaker.check))


Law: TypeAlias = Callable[[StrategyMaker, Space], None]


def only_fresh_points_are_proposed(maker: StrategyMaker, space: Space, workers: int = 4, objectives: int = 1) -> None:
    """Some trials are pruned, some fail, several run at a time; the playground refuses a point that is known."""
    world = World(space, trials=40, objectives=objectives)
    strategy = maker.make(world.problem)
    ended = world.go(strategy, 40, workers=workers, state=mixed)
    equal("trials that ended", len(ended), _at_most(40, space))
    equal("architectures that were trained", len(world.known), len(ended))


def a_study_goes_on_the_same_way(maker: StrategyMaker, space: Space, objectives: int = 1) -> None:
    """A new strategy with the same observations proposes what the first one does; ends alone suffice."""
    world = World(space, trials=40, objectives=objectives, seed=3)
    strategy = maker.make(world.problem)
    world.seed(strategy, list(space.fixed_points.values())[:3])
    number = len(world.known) + len(world.go(strategy, _at_most(34, space) // 2, workers=2, state=mixed))
    again, ended = maker.make(world.problem), maker.make(world.problem)
    for observation in world.told:
        again.tell(observation)
        if observation.state != "running":
            ended.tell(observation)
    first = strategy.ask(number)
    equal("the proposal of a new strategy with the same observations", again.ask(number), first)
    equal("the proposal of a new strategy with the observations of ends alone", ended.ask(number), first)
    equal("its next proposal", again.ask(number + 1), strategy.ask(number + 1))


def all_points_are_found_and_then_none(maker: StrategyMaker, space: Space) -> None:
    """A space of few points is searched to its end, and then ``ask`` says None."""
    world = World(space, trials=30)
    strategy = maker.make(world.problem)
    equal("trials in a space that is smaller than the study", len(world.go(strategy, 30)), space.size)
    equal("the proposal when every point is known", strategy.ask(len(world.known)), None)


def limits_are_kept(maker: StrategyMaker, space: Space) -> None:
    """All points within the limits are found where most are outside; none outside is proposed."""
    least = sorted(World(space).screen(params).cost["params"] for params in walk(space))[_at_most(100, space) // 3]

    def violation(screened: Candidate) -> float:
        return max(0.0, screened.cost["params"] / least - 1.0)

    world = World(space, violation=violation)
    allowed = {str(found.arch_id) for found in map(world.screen, walk(space)) if found.reason is None}
    strategy = maker.make(world.problem)
    world.go(strategy, 64)
    equal("architectures that were trained within limits", set(world.known), allowed)
    equal("the proposal when every point within is known", strategy.ask(len(world.known)), None)


def failures_alone_do_not_stop_it(maker: StrategyMaker, space: Space) -> None:
    """Points are proposed also where no trial has succeeded."""
    world = World(space, trials=30)
    trials = _at_most(15, space)
    equal("trials, all failed", len(world.go(maker.make(world.problem), trials, state=lambda _: "failed")), trials)


def the_later_word_on_a_trial_counts(maker: StrategyMaker, space: Space) -> None:
    """A trial that was pruned may run again and complete; what is proposed then is fresh."""
    world = World(space, trials=30)
    strategy = maker.make(world.problem)
    world.go(strategy, _at_most(17, space) - 2, state=mixed)
    first = next(each for each in world.told if each.state == "pruned")
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
"""What holds in any space; :func:`check_strategy` also searches small spaces to their ends."""


def check_strategy(kind: Any, options: Mapping[str, Any] | None = None) -> None:
    """Check the class of a strategy on searches without training, in the spaces that it says suit it.

    Args:
        kind: the class; it is made with a ``Problem`` and its options, an instance of its class ``settings``.
        options: options to make it with. Default: none, as a study does.

    Raises:
        AssertionError: with the rule that the strategy breaks.

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
    """``trials``, or as many points as the space has."""
    return int(min(trials, space.size))


@cache
def _modules() -> Space:
    return load_space("inception_modules")
