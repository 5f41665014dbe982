"""Crossing the points of two networks in a space: subtrees of the decisions of one go to the other."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from inception_search.spec.network import Network

if TYPE_CHECKING:
    from inception_search.space.holes import Params
    from inception_search.space.space import Space

MOST = 3  # subtrees taken from the other parent at once


class Points:
    """Two points of a space, and the points between them."""

    def __init__(self, space: Space, a: Network, b: Network) -> None:
        """Raises :class:`~inception_search.errors.NotInSpaceError`, with the reason, where a network is outside."""
        self.space = space
        self.mine, self.theirs = space.encode(a), space.encode(b)
        # A hole that the first parent does not reach, but the child does, is answered by the second.
        self.known = {**self.theirs, **self.mine}
        self.subtrees = _subtrees([name for name, value in self.mine.items() if self.theirs.get(name, value) != value])

    def draw(self, rng: random.Random) -> frozenset[str]:
        """The holes of one to three subtrees of decisions, which the child is to have from the second parent.

        How deep they lie is drawn first, so that whole stages come as often as single widths.
        """
        level = rng.choice(self.subtrees)
        chosen = rng.sample(level, rng.randint(1, min(MOST, len(level))))
        return frozenset(name for name in self.theirs if any(_inside(name, top) for top in chosen))

    def cross(self, taken: frozenset[str]) -> Params:
        """The first parent's point with these decisions of the second's.

        Raises :class:`~inception_search.errors.SpecError` where that makes no document.
        """
        return self.space.changed(self.known, {name: self.theirs[name] for name in self.theirs if name in taken})

    def differing(self, taken: frozenset[str]) -> frozenset[str]:
        """Those of the holes where the parents differ: what tells one child from another."""
        return frozenset(name for name in taken if self.known[name] != self.theirs[name])


def _subtrees(names: list[str]) -> list[list[str]]:
    """The beginnings of the names of holes, by how many words they have."""
    levels: dict[int, dict[str, None]] = {}
    for name in names:
        words = name.split(".")
        for count in range(1, len(words) + 1):
            levels.setdefault(count, {})[".".join(words[:count])] = None
    return [list(levels[count]) for count in sorted(levels)]


def _inside(name: str, top: str) -> bool:
    return name == top or name.startswith(f"{top}.")
