"""Crossover: a child of two networks is the first with parts of the second at matching places."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inception_search.edits.cached_certificate import certificate
from inception_search.edits.identity_cache import interned
from inception_search.edits.matching_parts import Match, Places, by_place
from inception_search.edits.mutate import Tries
from inception_search.edits.places import with_section
from inception_search.edits.sites import Spot, planted, sections, settled
from inception_search.errors import EditError, InceptionSearchError, NotInSpaceError
from inception_search.space.sampling import random_of
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Use
from inception_search.spec.transform import map_children

if TYPE_CHECKING:
    from inception_search.space.space import Space
if TYPE_CHECKING:
    from inception_search.space.holes import Params
    from inception_search.space.space import Space


ATTEMPTS = 60
IN_SPACE = 6  # swaps of parts tried before the parents' points are crossed instead
MOST = 3  # parts swapped, or subtrees of decisions taken over, per child


@dataclass(frozen=True)
class Crossover:
    """The first parent with the second's parts at ``places`` (empty if points of a space were crossed)."""

    network: Network
    places: tuple[str, ...]


def crossover(a: Network, b: Network, seed: int | random.Random, *, space: Space | None = None) -> Crossover:
    """Cross two networks: the child is the first network with one to three parts of the second.

    Parts are stages, blocks and branches. They match by name, or by position if both networks have the same number of
    stages. For stages without a match by name, modules of the same phase and reductions between the same phases match
    as well; a phase is the modules between two reductions, counted from the classifier. With ``space``, half of the
    children instead mix the decisions of both points.

    Args:
        a: the first parent.
        b: the second parent.
        seed: a number, or a random number generator; the same number gives the same child.
        space: a space that must contain the child (default: any valid network).

    Returns:
        ``child.network``, a valid network whose architecture differs from both parents', and ``child.places``, the
        paths of the parts that come from ``b``.

    Raises:
        EditError: the parents have no matching places that differ, or no child can be used.

    >>> child = ins.crossover("inception_v1", "bn_inception", seed=0)
    >>> child.places
    ('stages.inception_4d', 'stages.inception_3a')
    """
    rng = random_of(seed)
    a, b = interned(a), interned(b)
    found = by_place(a, b)
    if not found and (space is None or a == b):
        hint = "cross networks with modules or reductions that differ"
        raise EditError("the parents have no places that match and differ", found=(a.name, b.name), hint=hint)
    tries = Tries(a, space)
    tries.known[certificate(b)] = f"it is the same architecture as {b.name!r}"
    if space is None:
        child = _crossed_parts(a, b, found, tries, rng, ATTEMPTS)
        rule = f"no crossing with {b.name!r} gives a child unlike both"
    else:
        child = _crossed_inside(a, b, found, tries, space, rng)
        rule = f"no crossing with {b.name!r} gives a child unlike both inside the space {space.name!r}"
    if child is None:
        raise tries.error(rule)
    return child


def _crossed_inside(
    a: Network, b: Network, found: Places, tries: Tries, space: Space, rng: random.Random
) -> Crossover | None:
    """Cross parts or points, with equal probability; if one gives no child, try the other."""
    points_first = rng.random() < 0.5
    try:
        child = _crossed_points(a, b, tries, space, rng) if points_first else None
    except NotInSpaceError:  # a parent is outside the space, but crossed parts may still be inside
        child = None
    child = child or _crossed_parts(a, b, found, tries, rng, IN_SPACE)
    return child or _crossed_points(a, b, tries, space, rng)


def _crossed_parts(
    a: Network, b: Network, found: Places, tries: Tries, rng: random.Random, attempts: int
) -> Crossover | None:
    for _ in range(attempts if found else 0):
        places = rng.sample(list(found), rng.randint(1, min(MOST, len(found))))
        chosen = _apart([rng.choice(found[place]) for place in places])
        child = _child(a, b, chosen, tries)
        if child is not None and tries.will_do(child):
            return Crossover(child, tuple(match.place for match in chosen))
    return None


def _apart(chosen: list[Match]) -> list[Match]:
    """``chosen`` without the parts that lie inside another chosen one."""

    def inside(one: Match, other: Match) -> bool:
        trail = other.spot.trail
        return one is not other and one.section == other.section and one.spot.trail[: len(trail)] == trail

    return [match for match in chosen if not any(inside(match, other) for other in chosen)]


def _child(a: Network, b: Network, chosen: Sequence[Match], tries: Tries) -> Network | None:
    child = a
    try:
        # Last ones first: a chain put into a chain shifts the steps after it.
        for match in sorted(chosen, key=lambda match: match.spot.trail, reverse=True):
            root = dict(sections(child))[match.section]
            settled_at = settled(_follow(root, match.spot.trail), _brought(match.other, a, b))
            if settled_at is not None:
                child = with_section(child, match.section, planted(*settled_at))
    except InceptionSearchError as error:
        tries.reasons[error.rule] += 1
        return None
    return child


def _follow(root: AnyStep, trail: tuple[int, ...]) -> Spot:
    spot = Spot((), (), root)
    for index in trail:
        spot = spot.child(index)
    return spot


def _brought(step: AnyStep, a: Network, b: Network) -> AnyStep:
    """A part of ``b`` with the same meaning in ``a``: blocks that ``a`` lacks or defines differently are unrolled."""
    if isinstance(step, Use):
        block = b.blocks[step.name]
        brought = _brought(block, a, b)
        return step if brought == block == a.blocks.get(step.name) else brought
    return map_children(step, lambda part: _brought(part, a, b))


def _crossed_points(a: Network, b: Network, tries: Tries, space: Space, rng: random.Random) -> Crossover | None:
    """The network at a point with subtrees of decisions from both parents."""
    points = Points(space, a, b)
    tried: set[frozenset[str]] = set()  # similar parents have few children, which are drawn repeatedly
    for _ in range(ATTEMPTS if points.subtrees else 0):
        taken = points.draw(rng)
        if (different := points.differing(taken)) in tried:
            continue
        tried.add(different)
        try:
            child = space.decode(points.cross(taken), points.mine.layout)
        except InceptionSearchError as error:
            tries.reasons[error.rule] += 1
            continue
        if tries.will_do(child):
            return Crossover(child, ())
    return None


class Points:
    """Two points of a space, and the points between them."""

    def __init__(self, space: Space, a: Network, b: Network) -> None:
        """Raises :class:`~inception_search.errors.NotInSpaceError`, with the reason, if a network is outside."""
        self.space = space
        self.mine, self.theirs = space.encode(a), space.encode(b)
        # A hole that the child reaches, but not the first parent, gets the value of the second.
        self.known = {**self.theirs, **self.mine}
        self.subtrees = _subtrees([name for name, value in self.mine.items() if self.theirs.get(name, value) != value])

    def draw(self, rng: random.Random) -> frozenset[str]:
        """The holes of one to three subtrees of decisions, which the child takes from the second parent.

        The depth of the subtrees is drawn first, so that whole stages are as frequent as single widths.
        """
        level = rng.choice(self.subtrees)
        chosen = rng.sample(level, rng.randint(1, min(MOST, len(level))))
        return frozenset(name for name in self.theirs if any(_inside(name, top) for top in chosen))

    def cross(self, taken: frozenset[str]) -> Params:
        """The first parent's point with these decisions of the second's.

        Raises :class:`~inception_search.errors.SpecError` if the point has no valid document.
        """
        return self.space.changed(self.known, {name: self.theirs[name] for name in self.theirs if name in taken})

    def differing(self, taken: frozenset[str]) -> frozenset[str]:
        """The holes of ``taken`` in which the parents differ; they identify the child."""
        return frozenset(name for name in taken if self.known[name] != self.theirs[name])


def _subtrees(names: list[str]) -> list[list[str]]:
    """The beginnings of the names of holes, grouped by their number of words."""
    levels: dict[int, dict[str, None]] = {}
    for name in names:
        words = name.split(".")
        for count in range(1, len(words) + 1):
            levels.setdefault(count, {})[".".join(words[:count])] = None
    return [list(levels[count]) for count in sorted(levels)]


def _inside(name: str, top: str) -> bool:
    return name == top or name.startswith(f"{top}.")
