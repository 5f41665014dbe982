"""Drawing points of a space that are within a budget, before anything is trained."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Literal, NamedTuple

from inception_search.errors import (
    CompileError,
    ConfigError,
    InceptionSearchError,
    LimitError,
    ShapeError,
    SpecError,
)
from inception_search.graph.cost import Cost
from inception_search.measures.budget import Budget
from inception_search.measures.fit import fit, not_within
from inception_search.measures.subject import Subject, at_size
from inception_search.space.holes import Choice, Hole, Integer, Many, Params, Value
from inception_search.space.space import Space
from inception_search.spec.network import Network

NO_NETWORK = (SpecError, ShapeError, LimitError, CompileError)  # what a point may come to instead
REPAIRS = 16  # rejected points that are repaired, nearest first, before a space is given up


@dataclass(frozen=True)
class Sampled:
    """A point within a budget: its network at the size that was asked for, its cost, and how it was found.

    ``how`` is "drawn", at the draw ``tries``, or "repaired" after so many draws were all outside.
    """

    params: Params
    network: Network
    cost: Cost
    how: Literal["drawn", "repaired"]
    tries: int


class _Rejected(NamedTuple):
    params: Params
    subject: Subject

    def excess(self, budget: Budget) -> tuple[float, float]:
        """How far outside, of what widths do not change first; what was asked when it was drawn is not asked again."""
        limits = (budget.only(by_width=False).worst(self.subject), budget.worst(self.subject))
        shape, any_ = (0.0 if missed is None else missed[0].excess(missed[1]) for missed in limits)
        return shape, any_


def sample_within(
    space: Space,
    budget: Budget,
    seed: int | random.Random = 0,
    *,
    tries: int = 100,
    shape: tuple[int, int, int] | None = None,
    classes: int | None = None,
) -> Sampled:
    """A point of ``space`` whose network, on (C, H, W) images of ``shape`` and ``classes`` classes, is within budget.

    Draws at most ``tries`` points as ``space.sample`` does, then as many hole by hole (smaller ones, mostly); a point
    that gives no network counts as a draw. When all are outside, the nearest is repaired: its widths go together
    toward the low (for a minimum: high) ends of their holes, only as far as needed, then its repeats. Raises
    ConfigError with the nearest value reached where that does not do either, and ShapeError or SpecError where no
    point is a network at all.
    """
    rng = _checked(space, budget, seed, tries)
    rejected: list[_Rejected] = []
    broken: InceptionSearchError | None = None
    for number in range(1, 2 * tries + 1):
        try:
            network, params = space.draw(rng, None if number <= tries else "holes")
            subject = _subject(network, shape, classes)
            within = budget.worst(subject) is None
        except NO_NETWORK as error:
            broken = broken or error
            continue
        if within:
            return Sampled(params, subject.network, subject.cost, "drawn", number)
        rejected.append(_Rejected(params, subject))
    if not rejected and broken is not None:
        raise _nothing(space, broken, tries, shape)
    rejected.sort(key=lambda each: each.excess(budget))
    return _repaired(space, budget, rejected, tries, shape, classes)


def _repaired(
    space: Space,
    budget: Budget,
    rejected: list[_Rejected],
    tries: int,
    shape: tuple[int, int, int] | None,
    classes: int | None,
) -> Sampled:
    tried = [each.subject for each in rejected]
    for each in rejected[:REPAIRS]:
        points = _Points(space, each.params, shape, classes)
        found = fit(points.scaled, budget)
        if found is not None:
            return Sampled(points.params_of(found), found.network, found.cost, "repaired", 2 * tries)
        tried += points.subjects()
    more = "use smaller images, or a narrower space"
    raise not_within(f"no network of space {space.name!r} that was tried", tried, budget, more)


class _Points:
    """The points of a space that differ from one in their widths and repeats only."""

    def __init__(self, space: Space, params: Params, shape: tuple[int, int, int] | None, classes: int | None) -> None:
        self.space, self.params, self.shape, self.classes = space, params, shape, classes
        self.made: dict[tuple[Value, ...], tuple[Params, Subject] | None] = {}

    def scaled(self, width: float, depth: float) -> Subject | None:
        """The network with widths and repeats moved by so much of the way to the ends of their holes."""
        moves = {name: self.moved(name, value, width, depth) for name, value in self.params.items()}
        key = tuple(moves.values())
        if key not in self.made:
            self.made[key] = self.make(moves)
        made = self.made[key]
        return None if made is None else made[1]

    def make(self, moves: Params) -> tuple[Params, Subject] | None:
        many = (name for name in moves if isinstance(self.space.holes[name], Many))
        try:
            if any(moves[name] != self.params[name] for name in many):  # what is added has holes of its own
                moves = self.space.changed(self.params, moves)
            return moves, _subject(self.space.decode(moves), self.shape, self.classes)
        except NO_NETWORK:
            return None

    def moved(self, name: str, value: Value, width: float, depth: float) -> Value:
        hole = self.space.holes[name]
        part = "times" if isinstance(hole, Many) else hole.path.rpartition(".")[2]
        amount = width if part in ("width", "mid") else depth if part == "times" else 0.0
        rungs = ladder(hole)
        if amount == 0.0 or value not in rungs:
            return value
        at = rungs.index(value)
        end = 0 if amount < 0.0 else len(rungs) - 1
        return rungs[math.floor(at + (end - at) * abs(amount) + 0.5)]

    def subjects(self) -> list[Subject]:
        return [made[1] for made in self.made.values() if made is not None]

    def params_of(self, subject: Subject) -> Params:
        return next(made[0] for made in self.made.values() if made is not None and made[1] is subject)


def ladder(hole: Hole) -> tuple[Value, ...]:
    """The values of a hole of whole numbers from small to large; empty for any other hole."""
    if isinstance(hole, Integer):
        return tuple(hole.domain)
    if not isinstance(hole, Choice) or any(type(value) is not int for value in hole.options.values()):
        return ()
    return tuple(sorted(hole.options, key=lambda label: int(hole.options[label])))


def _subject(network: Network, shape: tuple[int, int, int] | None, classes: int | None) -> Subject:
    subject = Subject(at_size(network, shape, classes))
    _ = subject.cost  # a network of shapes that do not fit is none
    return subject


def _checked(space: Space, budget: Budget, seed: int | random.Random, tries: int) -> random.Random:
    for name, value, kind in (("space", space, Space), ("budget", budget, Budget)):
        if not isinstance(value, kind):
            raise ConfigError(f"sample_within needs a {kind.__name__}", path=name, found=value)
    if not isinstance(tries, int) or isinstance(tries, bool) or tries < 1:
        raise ConfigError("not a usable value", path="tries", found=tries, expected="a whole number of 1 or more")
    if isinstance(seed, random.Random):
        return seed
    if not isinstance(seed, int):
        expected = "a whole number or a random.Random"
        raise ConfigError("not a usable value", path="seed", found=seed, expected=expected)
    return random.Random(seed)


def _nothing(
    space: Space, reason: InceptionSearchError, tries: int, shape: tuple[int, int, int] | None
) -> InceptionSearchError:
    if isinstance(reason, ShapeError | LimitError):
        size = f" images of {'x'.join(map(str, shape))}" if shape else " its images"
        return ShapeError(f"no network of space {space.name!r} fits{size}: {reason}", mend="use larger images")
    return SpecError(f"none of {tries} points of space {space.name!r} is a network: {reason}")
