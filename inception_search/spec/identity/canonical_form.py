"""The canonical form of a small labelled graph: equal for two graphs exactly when they are isomorphic.

Colour refinement is followed by a search. If nodes of one colour remain, the search individualises each in turn, and
takes the least form of all (McKay & Piperno, "Practical graph isomorphism, II", 1301.1493, sections 2 and 3). It skips
a node that a known symmetry maps to a node tried before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

Edge: TypeAlias = tuple[int, int, str]  # from, to, label; several between two nodes are allowed
Form: TypeAlias = tuple[tuple[str, ...], tuple[Edge, ...]]


def canonical_form(labels: Sequence[str], edges: Sequence[Edge]) -> Form:
    """The labels of the nodes in canonical order, and the edges between their new numbers, sorted."""
    search = _Search(labels, edges)
    search.run(_ranks(labels), ())
    return search.best


class _Search:
    def __init__(self, labels: Sequence[str], edges: Sequence[Edge]) -> None:
        self.labels = labels
        self.edges = edges
        self.size = len(labels)
        self.best: Form = ((), ())
        self.best_order: list[int] = []
        self.symmetries: list[list[int]] = []

    def run(self, colours: list[int], fixed: tuple[int, ...]) -> None:
        colours = self.refined(colours)
        cell = self.cell(colours)
        if not cell:
            self.leaf(colours)
        tried: list[int] = []
        for node in cell:
            if self.reaches(node, tried, fixed):
                continue
            tried.append(node)
            apart = [2 * colour + (colour == colours[node] and other != node) for other, colour in enumerate(colours)]
            self.run(apart, (*fixed, node))

    def refined(self, colours: list[int]) -> list[int]:
        """The coarsest refinement of ``colours`` in which nodes of one colour have neighbours of the same colours."""
        count = 0
        while count < (count := len(set(colours))):
            around: list[list[tuple[int, str, int]]] = [[] for _ in range(self.size)]
            for source, target, label in self.edges:
                around[source].append((0, label, colours[target]))
                around[target].append((1, label, colours[source]))
            colours = _ranks([(colour, tuple(sorted(near))) for colour, near in zip(colours, around, strict=True)])
        return colours

    def cell(self, colours: list[int]) -> list[int]:
        """The nodes of the first colour with several nodes; empty if all colours differ."""
        for colour in range(self.size):
            nodes = [node for node, own in enumerate(colours) if own == colour]
            if len(nodes) > 1:
                return nodes
        return []

    def leaf(self, colours: list[int]) -> None:
        """Compare a complete order with the best so far; an equal form reveals a symmetry."""
        order = sorted(range(self.size), key=colours.__getitem__)
        form = (
            tuple(self.labels[node] for node in order),
            tuple(sorted((colours[a], colours[b], label) for a, b, label in self.edges)),
        )
        if self.best_order and form == self.best:
            images = dict(zip(self.best_order, order, strict=True))
            self.symmetries.append([images[node] for node in range(self.size)])
        elif not self.best_order or form < self.best:
            self.best, self.best_order = form, order

    def reaches(self, node: int, tried: list[int], fixed: tuple[int, ...]) -> bool:
        """Whether symmetries that leave ``fixed`` in place map one of ``tried`` to ``node``."""
        moves = [symmetry for symmetry in self.symmetries if all(symmetry[other] == other for other in fixed)]
        seen, stack = set(tried), list(tried)
        while stack:
            at = stack.pop()
            for there in {symmetry[at] for symmetry in moves} - seen:
                seen.add(there)
                stack.append(there)
        return node in seen


def _ranks(keys: Sequence[Any]) -> list[int]:
    """The rank of every key among the sorted distinct keys."""
    rank = {key: index for index, key in enumerate(sorted(set(keys)))}
    return [rank[key] for key in keys]
