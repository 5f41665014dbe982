"""How often each kind of edit is drawn: data, from name to weight."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from itertools import accumulate

from inception_search.edits.kind import Kind
from inception_search.edits.table import DEFAULT_MIX, EDITS, known_names
from inception_search.errors import EditError
from inception_search.numbers import is_finite


class Mix:
    """Draws kinds of edits by weight; ``inner``: for the copy that an opening edit frees to change."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        if not isinstance(weights, Mapping):
            hint = "write mix={'set_width': 1}, or leave it out"
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
        inner = {kind.name: weights[kind.name] for kind in self.kinds if kind.on and not kind.opening}
        inner = inner or {name: weight for name, weight in DEFAULT_MIX.items() if not EDITS[name].opening}
        self.inner_kinds = [EDITS[name] for name in inner]
        self.inner_cumulated = list(accumulate(inner.values()))

    def draw(self, rng: random.Random, without: Collection[str] = ()) -> Kind | None:
        """A kind of edit; None when all are ``without``."""
        if not without:
            return rng.choices(self.kinds, cum_weights=self.cumulated)[0]
        left = [kind for kind in self.kinds if kind.name not in without]
        return rng.choices(left, [self.weights[kind.name] for kind in left])[0] if left else None

    def draw_inner(self, rng: random.Random) -> Kind:
        """A kind of edit of a step."""
        return rng.choices(self.inner_kinds, cum_weights=self.inner_cumulated)[0]
