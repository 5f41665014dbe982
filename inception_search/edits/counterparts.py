"""Parts of two networks that do the same work: modules of one phase, and reductions between the same phases.

A phase is the modules between two reductions of the map, counted from the classifier, where networks of any depth
and stem agree: the 8x8 modules of Inception v4 and the last layers of Network in Network are both phase 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log2
from typing import TypeAlias

from inception_search.edits.tree import Section, Spot
from inception_search.errors import ShapeError
from inception_search.estimate import shapes
from inception_search.graph.types import FeatureMap, Type
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Block, Chain, Concat, Dag, Repeat, Use

Work: TypeAlias = tuple[int, int]  # the phase, and how often the side of the map is halved
MODULES = (Concat, Block, Use, Repeat, Dag)


@dataclass(frozen=True)
class Piece:
    """A part of a trunk that stands in series, and its work."""

    section: Section
    spot: Spot
    work: Work

    def can_become(self, other: Piece) -> bool:
        """Whether ``other`` may stand here: the same work, and no repeat inside another."""
        inner = bool(self.spot.trail) and isinstance(other.spot.step, Repeat)
        return self.work == other.work and self.spot.step != other.spot.step and not inner


def counterparts(a: Network, b: Network) -> Iterator[tuple[Piece, AnyStep]]:
    """The parts of the trunk of ``a``, each with every part of ``b`` that may stand in its place."""
    theirs = pieces(b)
    return ((piece, other.spot.step) for piece in pieces(a) for other in theirs if piece.can_become(other))


def pieces(network: Network) -> list[Piece]:
    """The modules and reductions of a network; none where its shapes do not fit."""
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
    """The stages, and how often each halves the side of its map."""
    shape = shapes(network)
    x: Type = FeatureMap(*network.input.shape)
    found: list[tuple[Section, AnyStep, int]] = []
    for name, step in network.stages.items():
        y = shape(step, x)
        found.append((("stages", name), step, _halvings(x, y)))
        x = y
    return found


def _halvings(x: Type, y: Type) -> int:
    """0 for a map of the same size; at least 1, or -1 where it grows, for another."""
    if not isinstance(x, FeatureMap) or not isinstance(y, FeatureMap) or x[1:] == y[1:]:
        return 0
    halvings = round(log2(x.height * x.width / (y.height * y.width)) / 2)
    return halvings or (1 if x.height * x.width > y.height * y.width else -1)


def _modules(spot: Spot) -> Iterator[Spot]:
    """A stage that keeps the map's size, and the modules in it: the parts of a chain, what a repeat repeats."""
    step = spot.step
    if isinstance(step, (Chain, *MODULES)):
        yield spot
    if isinstance(step, Chain):
        for index, part in enumerate(step.steps):
            if isinstance(part, MODULES):
                yield from _modules(Spot((*spot.trail, index), (*spot.parents, step), part))
    elif isinstance(step, Repeat):
        yield from _modules(Spot((*spot.trail, 0), (*spot.parents, step), step.body))
