"""The parts of two networks that may be crossed: parts at the same place, and parts that do the same work.

Parts at the same place are stages of the same name (or of the same position, if both networks have equally many stages)
and the parts inside them. Modules of the same phase do the same work, and so do reductions between the same phases. A
phase is the modules between two reductions of the feature map. Phases are counted from the classifier, where networks
of any depth and stem agree: the 8x8 modules of Inception v4 and the last layers of Network in Network are phase 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log2
from typing import TypeAlias

from inception_search.edits.places import place_of
from inception_search.edits.sites import Section, Spot, parts, sections
from inception_search.errors import ShapeError
from inception_search.estimate import shapes
from inception_search.graph.types import FeatureMap, Type
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Block, Chain, Concat, Dag, Repeat, Use

Work: TypeAlias = tuple[int, int]  # the phase, and how often the part halves the feature map
MODULES = (Concat, Block, Use, Repeat, Dag)


@dataclass(frozen=True)
class Match:
    """A part of one network and the part of another at the same place."""

    section: Section
    spot: Spot
    other: AnyStep

    @property
    def place(self) -> str:
        """The place in the first network."""
        return place_of(self.section, self.spot)


Places: TypeAlias = dict[str, list[Match]]  # the matches for each place of the first parent


def matches(a: Network, b: Network) -> list[Match]:
    """The places where both networks have a part and the parts differ, outer ones first."""
    others = _partners(a, b)
    return [match for section, step in sections(a) if section in others for match in _within(section, step, others)]


def by_place(a: Network, b: Network) -> Places:
    """The matches by place, and the counterparts of stages without a partner of the same name."""
    found: Places = {}
    names = {section for section, _ in sections(b)}
    others = (Match(piece.section, piece.spot, step) for piece, step in counterparts(a, b))
    for match in (*matches(a, b), *(match for match in others if match.section not in names)):
        found.setdefault(match.place, []).append(match)
    return found


def _partners(a: Network, b: Network) -> dict[Section, AnyStep]:
    """The steps of ``b`` for sections of ``a``: by the same name, or by the same position among the stages."""
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
    """The spots that two trees share, inside bodies, chains of equal length, and equally many branches."""
    yield spot, other
    mine, theirs = parts(spot.step), parts(other)
    if type(spot.step) is not type(other) or (isinstance(other, Chain) and len(mine) != len(theirs)):
        return
    for index, (_, part) in enumerate(zip(mine, theirs, strict=False)):
        yield from _pairs(spot.child(index), part)


@dataclass(frozen=True)
class Piece:
    """A part of a trunk in series, and its work."""

    section: Section
    spot: Spot
    work: Work

    def can_become(self, other: Piece) -> bool:
        """Whether ``other`` may replace this part: it does the same work, and puts no repeat inside a repeat."""
        inner = bool(self.spot.trail) and isinstance(other.spot.step, Repeat)
        return self.work == other.work and self.spot.step != other.spot.step and not inner


def counterparts(a: Network, b: Network) -> Iterator[tuple[Piece, AnyStep]]:
    """The parts of the trunk of ``a``, each with every part of ``b`` that may replace it."""
    theirs = pieces(b)
    return ((piece, other.spot.step) for piece in pieces(a) for other in theirs if piece.can_become(other))


def pieces(network: Network) -> list[Piece]:
    """The modules and reductions of a network; empty if its shapes do not fit."""
    try:
        stages = _stages(network)
    except ShapeError:
        return []
    phase, found = 0, []
    for section, step, halvings in reversed(stages):
        phase += halvings != 0
        work = (phase, halvings)
        if halvings:
            found.append(Piece(section, Spot((), (), step), work))
        else:
            found += [Piece(section, spot, work) for spot in _modules(Spot((), (), step))]
    return found[::-1]


def _stages(network: Network) -> list[tuple[Section, AnyStep, int]]:
    """The stages, and how often each halves the side of its feature map."""
    shape = shapes(network)
    x: Type = FeatureMap(*network.input.shape)
    found: list[tuple[Section, AnyStep, int]] = []
    for name, step in network.stages.items():
        y = shape(step, x)
        found.append((("stages", name), step, _halvings(x, y)))
        x = y
    return found


def _halvings(x: Type, y: Type) -> int:
    """How often the side is halved from ``x`` to ``y``: 0 for equal sizes, else at least 1, or -1 if it grows."""
    if not isinstance(x, FeatureMap) or not isinstance(y, FeatureMap) or x[1:] == y[1:]:
        return 0
    halvings = round(log2(x.height * x.width / (y.height * y.width)) / 2)
    return halvings or (1 if x.height * x.width > y.height * y.width else -1)


def _modules(spot: Spot) -> Iterator[Spot]:
    """A stage that keeps the size of its feature map, and the modules in it: parts of a chain, bodies of repeats."""
    step = spot.step
    if isinstance(step, (Chain, *MODULES)):
        yield spot
    if isinstance(step, Chain):
        for index, part in enumerate(step.steps):
            if isinstance(part, MODULES):
                yield from _modules(spot.child(index))
    elif isinstance(step, Repeat):
        yield from _modules(spot.child(0))
