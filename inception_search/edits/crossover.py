"""A child of two networks: one of them with parts of the other at matching places."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inception_search.edits.certificate import certificate
from inception_search.edits.mutate import Tries, in_words_of
from inception_search.edits.places import place_of, with_section
from inception_search.edits.tree import Section, Spot, parts, planted, sections
from inception_search.errors import EditError, InceptionSearchError
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Chain, Concat, Use
from inception_search.spec.transform import map_children

if TYPE_CHECKING:
    from inception_search.space.space import Space

ATTEMPTS = 60
IN_SPACE = 6  # swaps of parts tried before the parents' points are crossed instead
MOST = 3  # parts swapped at once


@dataclass(frozen=True)
class Crossover:
    """The first parent with the second's parts at ``places`` (empty: their points in a space were crossed)."""

    network: Network
    places: tuple[str, ...]


@dataclass(frozen=True)
class Match:
    """A part of one network and the part of another at the same place."""

    section: Section
    spot: Spot
    other: AnyStep

    @property
    def place(self) -> str:
        """The place, in the first network."""
        return place_of(self.section, self.spot)


def crossover(a: Network, b: Network, seed: int | random.Random, *, space: Space | None = None) -> Crossover:
    """``a`` with one to three parts of ``b``: stages, blocks, and branches of them, where both have them.

    The child is valid, lowers, lies inside ``space`` and is another architecture than both parents. Raises
    :class:`~inception_search.errors.EditError` when the parents have no matching places, or no child will do.
    """
    rng = seed if isinstance(seed, random.Random) else random.Random(seed)
    found = matches(a, b)
    if not found:
        mend = "cross networks that share names of stages or blocks, or have as many stages"
        raise EditError("the parents have no places that match and differ", found=(a.name, b.name), mend=mend)
    tries = Tries(a, space)
    tries.known[certificate(b)] = f"it is the same architecture as {b.name!r}"
    for _ in range(ATTEMPTS if space is None else IN_SPACE):
        chosen = _apart(rng.sample(found, rng.randint(1, min(MOST, len(found)))))
        child = _child(a, b, chosen, tries)
        if child is not None and tries.will_do(child):
            return Crossover(child, tuple(match.place for match in chosen))
    if space is not None:
        return _crossed_points(a, b, tries, space, rng)
    raise tries.error(f"no crossing with {b.name!r} gives a child unlike both")


def matches(a: Network, b: Network) -> list[Match]:
    """The places at which both networks have a part and the parts differ, outer ones first."""
    others = _partners(a, b)
    return [match for section, step in sections(a) if section in others for match in _within(section, step, others)]


def _partners(a: Network, b: Network) -> dict[Section, AnyStep]:
    """The step of ``b`` for sections of ``a``: that of the same name, or of the same position among the stages."""
    partners = {section: step for section, step in sections(b) if section[0] != "aux"}
    if len(a.stages) == len(b.stages):
        for name, (other, step) in zip(a.stages, b.stages.items(), strict=True):
            if other not in a.stages:
                partners.setdefault(("stages", name), step)
    return partners


def _within(section: Section, step: AnyStep, others: dict[Section, AnyStep]) -> Iterator[Match]:
    for spot, other in _pairs(Spot((), (), step), others[section]):
        outermost = not spot.parents or isinstance(spot.parents[-1], Concat)
        if outermost and spot.step != other:
            yield Match(section, spot, other)


def _pairs(spot: Spot, other: AnyStep) -> Iterator[tuple[Spot, AnyStep]]:
    """The spots that two trees share: through bodies, chains of one length, and branches of one number."""
    yield spot, other
    mine, theirs = parts(spot.step), parts(other)
    if type(spot.step) is not type(other) or (isinstance(other, Chain) and len(mine) != len(theirs)):
        return
    for index, (one, two) in enumerate(zip(mine, theirs, strict=False)):
        yield from _pairs(Spot((*spot.trail, index), (*spot.parents, spot.step), one), two)


def _apart(chosen: list[Match]) -> list[Match]:
    """Without the parts that lie inside another chosen one."""

    def inside(one: Match, other: Match) -> bool:
        trail = other.spot.trail
        return one is not other and one.section == other.section and one.spot.trail[: len(trail)] == trail

    return [match for match in chosen if not any(inside(match, other) for other in chosen)]


def _child(a: Network, b: Network, chosen: Sequence[Match], tries: Tries) -> Network | None:
    child = a
    try:
        for match in chosen:
            root = dict(sections(child))[match.section]
            spot = _follow(root, match.spot.trail)
            child = with_section(child, match.section, planted(spot, _brought(match.other, a, b)))
    except InceptionSearchError as error:
        tries.reasons[error.rule] += 1
        return None
    return child


def _follow(root: AnyStep, trail: tuple[int, ...]) -> Spot:
    spot = Spot((), (), root)
    for index in trail:
        spot = Spot((*spot.trail, index), (*spot.parents, spot.step), parts(spot.step)[index])
    return spot


def _brought(step: AnyStep, a: Network, b: Network) -> AnyStep:
    """A part of ``b`` as it means the same in ``a``: blocks that ``a`` has not, or has otherwise, written out."""
    if isinstance(step, Use):
        block = b.blocks[step.name]
        brought = _brought(block, a, b)
        return step if brought == block == a.blocks.get(step.name) else brought
    return map_children(step, lambda part: _brought(part, a, b))


def _crossed_points(a: Network, b: Network, tries: Tries, space: Space, rng: random.Random) -> Crossover:
    """The network at a point each of whose holes has the value of a parent."""
    parents = [space.encode(a), space.encode(b)]
    for _ in range(ATTEMPTS):
        _, moved = space.suggest(_Parents(parents, rng))
        child = in_words_of(a, parents[0], space, moved)
        if tries.will_do(child):
            return Crossover(child, ())
    raise tries.error(f"no crossing with {b.name!r} gives a child unlike both inside the space {space.name!r}")


class _Parents:
    """Answers for the holes of a space: a parent's, or a random one for a hole that neither parent reached."""

    def __init__(self, parents: list[dict[str, Any]], rng: random.Random) -> None:
        self.parents = parents
        self.rng = rng

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        return self._value(name, lambda: self.rng.choice(list(choices)))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        return int(self._value(name, lambda: self.rng.randrange(low, high + 1, step)))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        return float(self._value(name, lambda: self.rng.uniform(low, high)))

    def _value(self, name: str, draw: Any) -> Any:
        known = [parent[name] for parent in self.parents if name in parent]
        return self.rng.choice(known) if known else draw()
