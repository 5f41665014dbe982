"""The parts of two networks that may be crossed: namesakes, and counterparts of what has none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from inception_search.edits.counterparts import counterparts
from inception_search.edits.places import place_of
from inception_search.edits.tree import Section, Spot, parts, sections
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Chain, Concat


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


Places: TypeAlias = dict[str, list[Match]]  # what may come to each place of the first parent


def matches(a: Network, b: Network) -> list[Match]:
    """The places at which both networks have a part and the parts differ, outer ones first."""
    others = _partners(a, b)
    return [match for section, step in sections(a) if section in others for match in _within(section, step, others)]


def by_place(a: Network, b: Network) -> Places:
    """The matches by place, with the counterparts of what has no namesake."""
    found: Places = {}
    names = {section for section, _ in sections(b)}
    others = (Match(piece.section, piece.spot, step) for piece, step in counterparts(a, b))
    for match in (*matches(a, b), *(match for match in others if match.section not in names)):
        found.setdefault(match.place, []).append(match)
    return found


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
