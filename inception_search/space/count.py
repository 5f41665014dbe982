"""Count the points of a template, and draw one of them uniformly."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from inception_search.space.holes import Choice, Float, Integer, Many, Of, Params, Value, items

Bound = dict[str, Value]  # answers of holes that share a name, and so may be reached again
Nodes = tuple[Any, ...]
_FINE = 2**53  # resolution of a random float


class Counts:
    """The number of points of ``root``: ways to answer every reached hole (``inf`` for a continuous range).

    Counts of parts without a common name are multiplied; if parts share names, the answers of the first hole are tried.
    """

    def __init__(self, root: Any) -> None:
        self.root = root
        self.names_of: dict[int, frozenset[str]] = {}
        self.shared: set[str] = set()
        self.names(root)
        self.counted: dict[Any, int | float] = {}
        self.grouped: dict[Any, tuple[Nodes, ...]] = {}
        self.rising: dict[Any, list[int]] = {}
        self.reached: dict[int, list[tuple[Any, list[Nodes] | None, list[float]]]] = {}

    @property
    def total(self) -> int | float:
        """The number of points of the whole template."""
        return self.product((self.root,), {})

    def draw(self, rng: random.Random) -> Params:
        """A uniformly drawn point. Raises ValueError if the number of points is infinite."""
        params: Params = {}
        waiting: list[tuple[Nodes, Bound]] = [((self.root,), {})]
        apart: list[Any] = []
        while waiting:
            nodes, bound = waiting.pop()
            alone = [node for node in nodes if self.names(node).isdisjoint(self.shared)]
            apart.extend(alone)
            if len(alone) < len(nodes):
                nodes = tuple(node for node in nodes if not self.names(node).isdisjoint(self.shared))
                waiting.extend(self.answered(group, bound, rng, params) for group in self.groups(nodes, bound))
        self.draw_apart(apart, rng, params)
        return params

    def draw_apart(self, waiting: list[Any], rng: random.Random, params: Params) -> None:
        """Answer the holes of nodes that share no names with others. This is fast, and covers most of a large space."""
        while waiting:
            for hole, options, rising in self.direct(waiting.pop()):
                if options is None:
                    params[hole.name] = hole.domain[int(rng.random() * len(hole.domain))]
                else:
                    at = bisect_right(rising, rng.random())
                    params[hole.name] = hole.domain[at]
                    waiting.extend(options[at])

    def direct(self, node: Any) -> list[tuple[Any, list[Nodes] | None, list[float]]]:
        """The holes that ``node`` always reaches, each with the nodes of its answers and their cumulated weights."""
        known = self.reached.get(id(node))
        if known is None:
            known = self.reached[id(node)] = [(hole, *self.odds(hole)) for hole in self.open(node, {})]
        return known

    def odds(self, hole: Any) -> tuple[list[Nodes] | None, list[float]]:
        ways = self.ways(hole, (), {})
        if ways is None:
            return None, []
        counts = [self.product(nodes, {}) for _, nodes, _ in ways]
        if math.inf in counts:
            raise ValueError("endless")
        total = sum(counts)
        rising = [int(part * _FINE // total) / _FINE for part in accumulate(counts)]
        return [nodes for _, nodes, _ in ways], rising

    def answered(self, group: Nodes, bound: Bound, rng: random.Random, params: Params) -> tuple[Nodes, Bound]:
        """Answer the first hole of ``group``; return the nodes reached then, and the bindings."""
        hole, rest = group[0], group[1:]
        ways = self.ways(hole, rest, bound)
        if ways is None:
            params[hole.name] = hole.domain[rng.randrange(len(hole.domain))]
            return rest, self.bind(bound, hole, params[hole.name])
        key = (id(hole), self.key(rest, bound), self.key((hole,), bound))
        rising = self.rising.get(key)
        if rising is None:
            counts = [self.product(nodes, now) for _, nodes, now in ways]
            if math.inf in counts:
                raise ValueError("endless")
            rising = self.rising[key] = list(accumulate(int(count) for count in counts))
        value, nodes, now = ways[bisect_right(rising, rng.randrange(rising[-1]))]
        params[hole.name] = value
        return nodes, now

    def ways(self, hole: Any, rest: Nodes, bound: Bound) -> list[tuple[Value, Nodes, Bound]] | None:
        """The nodes that each answer to a hole leads to; None if they are the same for all answers."""
        if isinstance(hole, Choice):
            return [(label, (option, *rest), self.bind(bound, hole, label)) for label, option in hole.options.items()]
        if isinstance(hole, Many):
            return [(n, (*hole.items[:n], *rest), self.bind(bound, hole, n)) for n in hole.domain]
        if isinstance(hole, Float) and hole.domain is None:
            raise ValueError("endless")
        return None

    def bind(self, bound: Bound, hole: Any, value: Value) -> Bound:
        return {**bound, hole.name: value} if hole.name in self.shared else bound

    def product(self, nodes: Nodes, bound: Bound) -> int | float:
        """The number of points of ``nodes`` together; they may share names."""
        key = self.key(nodes, bound)
        if key not in self.counted:
            self.counted[key] = math.prod(self.together(group, bound) for group in self.groups(nodes, bound))
        return self.counted[key]

    def together(self, group: Nodes, bound: Bound) -> int | float:
        """The number of points of holes that are linked by names."""
        hole, rest = group[0], group[1:]
        if isinstance(hole, Float) and hole.domain is None:
            return math.inf
        ways = self.ways(hole, rest, bound)
        if ways is None:
            return len(hole.domain) * self.product(rest, self.bind(bound, hole, 0))
        return sum(self.product(nodes, now) for _, nodes, now in ways)

    def key(self, nodes: Nodes, bound: Bound) -> Any:
        """The cache key: everything that the points of ``nodes`` depend on."""
        relevant = [(name, bound[name]) for node in nodes for name in self.names(node) & bound.keys()] if bound else []
        return tuple(map(id, nodes)), frozenset(relevant)

    def groups(self, nodes: Nodes, bound: Bound) -> tuple[Nodes, ...]:
        """The unanswered holes that are always reached, in groups that have no unanswered name in common."""
        key = self.key(nodes, bound)
        found = self.grouped.get(key)
        if found is None:
            found = self.grouped[key] = tuple(self.part(nodes, bound))
        return found

    def part(self, nodes: Nodes, bound: Bound) -> Iterator[Nodes]:
        groups: list[tuple[set[str], list[Any]]] = []
        for hole in (hole for node in nodes for hole in self.open(node, bound)):
            names, members = set(self.names(hole) & self.shared) - bound.keys(), [hole]
            apart = []
            for group in groups:
                if names.isdisjoint(group[0]):
                    apart.append(group)
                else:
                    names, members = names | group[0], group[1] + members
            groups = [*apart, (names, members)]
        yield from (tuple(members) for _, members in groups)

    def open(self, node: Any, bound: Bound) -> Iterator[Any]:
        """The unanswered holes that ``node`` always reaches."""
        stack = [node]
        while stack:
            part = stack.pop()
            if isinstance(part, Of):
                part = part.hole
            if isinstance(part, Choice | Integer | Float):
                if part.name not in bound:
                    yield part
                elif isinstance(part, Choice):
                    stack.append(part.options[str(bound[part.name])])
                elif isinstance(part, Many):
                    stack.extend(part.items[: int(bound[part.name])])
            else:
                stack.extend(items(part))

    def names(self, node: Any) -> frozenset[str]:
        """The names of all holes in ``node``; also adds names that jointly reached parts share to ``shared``."""
        known = self.names_of.get(id(node))
        if known is not None:
            return known
        if isinstance(node, Choice):
            known = frozenset().union(*map(self.names, node.options.values()))
            known = self.joined([frozenset((node.name,)), known])
        elif isinstance(node, Many):
            known = self.joined([frozenset((node.name,)), *map(self.names, node.items)])
        elif isinstance(node, Integer | Float):
            known = frozenset((node.name,))
        elif isinstance(node, Of):
            known = frozenset((node.hole.name,)) if node.hole else frozenset()
        else:
            known = self.joined([self.names(item) for item in items(node) if isinstance(item, _NODES)])
        self.names_of[id(node)] = known
        return known

    def joined(self, parts: list[frozenset[str]]) -> frozenset[str]:
        together: set[str] = set()
        for part in parts:
            self.shared |= together & part
            together |= part
        return frozenset(together)


_NODES = (dict, list, Choice, Integer, Float, Of)
