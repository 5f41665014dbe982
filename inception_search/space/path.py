"""Paths from one point of a space to another, a few decisions at a time; every point is a valid network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from inception_search.errors import NotInSpaceError, SpecError
from inception_search.space.neighbours import changed, like
from inception_search.spec.network import Network

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inception_search.space.holes import Hole, Params, Value

Valid = Callable[[Network], bool]
Grouping = Callable[[Sequence[str]], Sequence[Sequence[str]]]  # groups decisions that are taken together


class Decoder(Protocol):
    """The methods of a space that a path needs."""

    @property
    def holes(self) -> Mapping[str, Hole]: ...
    def fill(self, answer: Callable[[Hole], Any]) -> tuple[Network, Params]: ...
    def decode(self, params: Params) -> Network: ...


@dataclass(frozen=True)
class Step:
    """A point on a path; ``decisions`` are the changed decisions with their values."""

    decisions: Params
    params: Params
    network: Network


def path(space: Decoder, start: Params, goal: Params, valid: Valid) -> tuple[Step, ...]:
    """The steps after ``start``, one decision each (with the holes that it adds), in the order of the goal.

    A step whose network is not ``valid`` is postponed, or taken together with others. Raises
    :class:`NotInSpaceError` if even the goal is not valid.
    """
    return _walk(_Walker(space, goal, valid), start, lambda names: [[name] for name in names])


def grouped_path(space: Decoder, start: Params, goal: Params, valid: Valid, grouping: Grouping) -> tuple[Step, ...]:
    """Like :func:`path`, with groups of decisions, each in every module of ``start``, even if the goal lacks it."""
    return _walk(_Walker(space, goal, valid, everywhere=True), start, grouping)


def _walk(walker: _Walker, here: Params, grouping: Grouping) -> tuple[Step, ...]:
    steps: list[Step] = []
    while here != walker.goal:
        step = walker.next(here, grouping)
        if step is None:
            raise NotInSpaceError("no valid network lies between the two points")
        steps.append(step)
        here = step.params
    return tuple(steps)


class _Walker:
    def __init__(self, space: Decoder, goal: Params, valid: Valid, everywhere: bool = False) -> None:
        self.space = space
        self.goal = goal
        self.valid = valid
        self.everywhere = everywhere

    def wanted(self, name: str) -> Value | None:
        """The goal's value; for a hole that the goal lacks, the value of the corresponding hole of a module before."""
        return like(self.space.holes[name], self.goal, 1) if self.everywhere else self.goal.get(name)

    def next(self, here: Params, grouping: Grouping) -> Step | None:
        """The first possible step: with one group, else with the first two, three, ... groups."""
        order = {name: at for at, name in enumerate(self.goal)}
        differing = [name for name in here if self.wanted(name) not in (None, here[name])]
        differing.sort(key=lambda name: order.get(name, len(order)))
        groups = grouping(differing)
        gathered = [[*chain.from_iterable(groups[:count])] for count in range(2, len(groups) + 1)]
        for names in (*groups, *gathered):
            step = self.step(here, names)
            if step is not None:
                return step
        return None

    def step(self, here: Params, names: Sequence[str]) -> Step | None:
        """The step to the goal's values of ``names``, including the holes that these add; None if it is not valid."""
        decisions = {name: value for name in names if (value := self.wanted(name)) is not None}
        new = {name: value for name, value in self.goal.items() if name not in here}
        source = {**self.goal, **here} if self.everywhere else here
        try:
            params = changed(source, {**new, **decisions}, lambda answer: self.space.fill(answer)[1])
            network = self.space.decode(params)
        except SpecError:
            return None
        if params == here or not (self.valid(network) or params == self.goal):
            return None
        return Step(decisions, params, network)
