"""A kind of edit: the types of steps that it edits, and the replacements of a step."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from inception_search.edits.edit import Edit
from inception_search.edits.places import place_of
from inception_search.edits.sites import Site, outline, sections, settled
from inception_search.spec.base_model import SpecModel
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep

GUESSES = 4  # random sites tried before all are tried in order


@dataclass(frozen=True)
class Untying:
    """An edit that changes nothing by itself but lets one copy of a step differ from the others."""

    copy: Callable[[Site], AnyStep | None]  # the copy that may now differ
    put: Callable[[Site, AnyStep], AnyStep]  # the step at the site with a changed copy


def _no_edits(network: Network) -> Iterable[Edit]:
    return ()


@dataclass(frozen=True)
class Kind:
    """``options``: replacements of a step of the types ``on``, before chains and absent branches are tidied.

    ``others``: edits that do not replace a step (of fields of the network, or of whole stages).
    """

    name: str
    on: tuple[type[SpecModel], ...]
    options: Callable[[Site], Iterable[AnyStep]]
    others: Callable[[Network], Iterable[Edit]] = _no_edits
    untying: Untying | None = None

    def all(self, network: Network) -> Iterator[Edit]:
        """Every edit of this kind, in the order of the document."""
        for site in self.sites(network):
            for option in self.options(site):
                if edit := self.edit(site, option):
                    yield edit
        yield from self.others(network)

    def draw(self, network: Network, rng: random.Random) -> Edit | None:
        """A random edit at a random place; None if the network has no place for it."""
        sites, others = self.sites(network), tuple(self.others(network))
        if not sites and not others:
            return None
        if rng.randrange(len(sites) + len(others)) < len(others):
            return rng.choice(others)
        for site in _in_random_order(sites, rng):
            options = list(self.options(site))
            while options:
                if edit := self.edit(site, options.pop(rng.randrange(len(options)))):
                    return edit
        return rng.choice(others) if others else None

    def sites(self, network: Network) -> list[Site]:
        """The places of steps that this kind may edit."""
        on = self.on
        return [
            Site(network, section, spot)
            for section, step in sections(network)
            for spot in outline(step)
            if type(spot.step) in on
        ]

    def edit(self, site: Site, option: AnyStep) -> Edit | None:
        """The edit that replaces the step at ``site`` by ``option``; None if that is invalid there."""
        found = settled(site.spot, option)
        if found is None:
            return None
        spot, after = found
        return Edit(self.name, place_of(site.section, spot), spot.step, after)


def _in_random_order(sites: list[Site], rng: random.Random) -> Iterator[Site]:
    if not sites:
        return
    for _ in range(GUESSES):
        yield rng.choice(sites)
    yield from rng.sample(sites, len(sites))
