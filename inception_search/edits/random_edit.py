"""One random edit: its kind is drawn by weight, and an untied copy is changed by a second kind."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from itertools import accumulate

from inception_search.edits.edit import Edit
from inception_search.edits.kinds.kind import Kind
from inception_search.edits.kinds.table import DEFAULT_MIX, EDITS, known_names
from inception_search.edits.sites import Site, Spot, outline, planted, settled
from inception_search.errors import EditError
from inception_search.numbers import is_finite
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep

TRIES = 6  # most places and kinds tried to change an untied copy


class Mix:
    """Draws kinds of edits by weight; ``inner`` kinds change an untied copy."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        if not isinstance(weights, Mapping):
            hint = "write mix={'set_width': 1}, or omit it"
            raise EditError("a mix is names of edits with weights", path="mix", found=weights, hint=hint)
        known_names(weights)
        for name, weight in weights.items():
            number = isinstance(weight, int | float) and not isinstance(weight, bool)
            if not number or not is_finite(weight) or weight < 0:
                raise EditError("a weight is a finite number, 0 or more", path=f"mix.{name}", found=weight)
        self.weights = weights
        self.kinds = [EDITS[name] for name, weight in weights.items() if weight > 0]
        if not self.kinds:
            raise EditError("the mix has no edit with a weight above 0", found=dict(weights))
        self.cumulated = list(accumulate(weights[kind.name] for kind in self.kinds))
        inner = {kind.name: weights[kind.name] for kind in self.kinds if kind.on and not kind.untying}
        inner = inner or {name: weight for name, weight in DEFAULT_MIX.items() if not EDITS[name].untying}
        self.inner_kinds = [EDITS[name] for name in inner]
        self.inner_cumulated = list(accumulate(inner.values()))

    def draw(self, rng: random.Random, without: Collection[str] = ()) -> Kind | None:
        """A random kind of edit that is not in ``without``; None if all are."""
        if not without:
            return rng.choices(self.kinds, cum_weights=self.cumulated)[0]
        left = [kind for kind in self.kinds if kind.name not in without]
        return rng.choices(left, [self.weights[kind.name] for kind in left])[0] if left else None

    def draw_inner(self, rng: random.Random) -> Kind:
        """A random kind of edit that replaces a step."""
        return rng.choices(self.inner_kinds, cum_weights=self.inner_cumulated)[0]


def draw_untied(kind: Kind, network: Network, mix: Mix, rng: random.Random) -> Edit | None:
    """A random edit of ``kind`` whose untied copy has been changed by another kind of the same mix."""
    untying = kind.untying
    assert untying is not None
    sites = kind.sites(network)
    for site in rng.sample(sites, min(TRIES, len(sites))):
        copy = untying.copy(site)
        changed = copy and _changed(site, copy, mix, rng)
        if changed and (edit := kind.edit(site, untying.put(site, changed))):
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
    """The spot inside the copy as a spot of the section of ``site``."""
    return Spot((*site.spot.trail, *spot.trail), (*site.spot.parents, *spot.parents), spot.step)
