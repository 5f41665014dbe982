"""Taking a copy out of a repeat or a block only matters once the copy changes: both at once, as one edit."""

from __future__ import annotations

import random

from inception_search.edits.edit import Edit
from inception_search.edits.kind import Kind
from inception_search.edits.mix import Mix
from inception_search.edits.tree import Site, Spot, outline, planted, settled
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep

TRIES = 6


def draw_opened(kind: Kind, network: Network, mix: Mix, rng: random.Random) -> Edit | None:
    """A random edit of ``kind`` whose freed copy has been changed by another kind of the same mix."""
    opening = kind.opening
    assert opening is not None
    sites = kind.sites(network)
    for site in rng.sample(sites, min(TRIES, len(sites))):
        copy = opening.copy(site)
        changed = copy and _changed(site, copy, mix, rng)
        if changed and (edit := kind.edit(site, opening.put(site, changed))):
            return edit
    return None


def _changed(site: Site, copy: AnyStep, mix: Mix, rng: random.Random) -> AnyStep | None:
    """``copy`` with one random edit inside it."""
    spots = outline(copy)
    for _ in range(TRIES):
        kind = mix.draw_inner(rng)
        found = [spot for spot in spots if type(spot.step) in kind.on]
        if not found:
            continue
        spot = rng.choice(found)
        options = list(kind.options(Site(site.network, site.section, _inside(site, spot))))
        if options and (settled_at := settled(spot, rng.choice(options))):
            return planted(*settled_at)
    return None


def _inside(site: Site, spot: Spot) -> Spot:
    """The spot as it stands at ``site``: with the steps around the copy around it."""
    return Spot((*site.spot.trail, *spot.trail), (*site.spot.parents, *spot.parents), spot.step)
