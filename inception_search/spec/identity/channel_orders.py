"""Find the concats whose branches may be in any order, by analysing the whole network.

A permutation of a value's channels changes nothing if everything that computes or reads the value can follow it.
Pools, norms, activations and sums need the same order on both sides, so the values they connect form a group with a
common order. A dense convolution follows any order of its input and of its output. Some steps fix an order and thus
*claim* the group: the network's input, an LRN, a grouped convolution, an output without a classifier, and every concat
(by the order of its branches). A group whose only claim is that of a concat is free: its branches may be exchanged.

A branch is a part of the output of its concat, ``narrow`` keeps a part of its input, and a depthwise convolution with a
multiplier repeats its input. The order of such a part is claimed as soon as the order of the whole is not free.

Two concats that are added claim one group, so their branches keep their order. Exchanging the branches of both in the
same way would change nothing, but such architectures have different ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from inception_search.spec.base_model import SpecModel
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Block, Chain, Concat, Conv, Dag, DagNode, Depthwise, Lrn, Narrow, Zero

Place: TypeAlias = tuple[str | int, ...]
"""The place of a concat, or of a dag's node that concatenates, in the normal form of a network."""
Freed: TypeAlias = frozenset[Place]
NONE: Freed = frozenset()
PINNED, FREED = "!", "~"


def order_mark(absorbed: bool, place: Place, freed: Freed) -> str:
    """The mark of a concat in a certificate: empty if the steps after it absorb any order of its branches,
    ``FREED`` if the whole network does, ``PINNED`` if the branches keep their order.
    """
    return "" if absorbed else FREED if place in freed else PINNED


def free_concats(network: Network, trunk: dict[str, AnyStep], taps: dict[str, AnyStep]) -> frozenset[Place]:
    """The places of the concats whose branches may be in any order; places begin with a stage, or "aux" and a name.

    ``trunk`` and ``taps`` are the normal forms of the stages and of the bodies of the auxiliary classifiers.
    """
    return _Orders().network(network, trunk, taps)


class _Orders:
    def __init__(self) -> None:
        self.parents: list[int] = []
        self.claimed: list[int] = []
        """A value for each claim on its order."""
        self.parts: list[tuple[int, int]] = []
        self.concats: dict[Place, int] = {}

    def network(self, network: Network, trunk: dict[str, AnyStep], taps: dict[str, AnyStep]) -> frozenset[Place]:
        x = self.value(claimed=True)
        after: dict[str, int] = {}
        for name, step in trunk.items():
            x = after[name] = self.step(step, x, (name,))
        head = network.head
        if head.classifier == "none" and not head.hidden and not head.embedding:
            self.claimed.append(x)
        for name, body in taps.items():
            self.step(body, after[network.aux[name].after], ("aux", name))
        return frozenset(self.free())

    def free(self) -> Iterator[Place]:
        claims = [0] * len(self.parents)
        for value in self.claimed:
            claims[self.group(value)] += 1
        parts = {(self.group(part), self.group(whole)) for part, whole in self.parts}
        while pinned := {(part, whole) for part, whole in parts if claims[whole] > 1}:
            for part, _ in pinned:
                claims[part] += 1
            parts -= pinned
        for place, value in self.concats.items():
            if claims[self.group(value)] == 1:
                yield place

    def value(self, *, claimed: bool = False) -> int:
        self.parents.append(len(self.parents))
        if claimed:
            self.claimed.append(self.parents[-1])
        return self.parents[-1]

    def group(self, value: int) -> int:
        while (parent := self.parents[value]) != value:
            self.parents[value] = value = self.parents[parent]
        return value

    def one_order(self, *values: int) -> int:
        first, *others = map(self.group, values)
        for other in others:
            self.parents[self.group(other)] = first
        return first

    def step(self, step: AnyStep, x: int, place: Place) -> int:
        """The output of ``step``, at ``place``, for the value ``x``."""
        rule = ORDERS.get(type(step))
        return rule(self, step, x, place) if rule else x

    def chain(self, step: Chain, x: int, place: Place) -> int:
        for index, part in enumerate(step.steps):
            x = self.step(part, x, (*place, index))
        return x

    def branches(self, step: Concat, x: int, place: Place) -> int:
        return self.concat([self.step(b, x, (*place, i)) for i, b in enumerate(step.branches)], place)

    def block(self, step: Block, x: int, place: Place) -> int:
        y = self.step(step.body, x, (*place, 0))
        y = y if step.project == "none" else self.value()
        return self.one_order(x, y) if step.skip == "add" else y  # the filters of a projected skip follow y

    def dag(self, step: Dag, x: int, place: Place) -> int:
        values = [x]
        for index, node in enumerate(step.nodes):
            values.append(self.node(node, values, (*place, index)))
        return values[-1]

    def node(self, node: DagNode, values: list[int], place: Place) -> int:
        inputs = [self.step(e.step, values[e.node], (*place, i)) for i, e in enumerate(node.inputs)]
        alone = len(inputs) == 1 or node.join == "add"
        return self.step(node.then, self.one_order(*inputs) if alone else self.concat(inputs, place), (*place, "then"))

    def concat(self, branches: list[int], place: Place) -> int:
        whole = self.concats[place] = self.value(claimed=True)
        self.parts += [(branch, whole) for branch in branches]
        return whole

    def conv(self, step: Conv, x: int, place: Place) -> int:
        return self.value() if step.groups == 1 else self.pinned(step, x, place)

    def pinned(self, step: AnyStep, x: int, place: Place) -> int:
        self.claimed.append(x)
        return self.value(claimed=True)

    def depthwise(self, step: Depthwise, x: int, place: Place) -> int:
        if step.multiplier == 1:
            return x
        self.parts.append((x, y := self.value(claimed=True)))
        return y

    def narrow(self, step: Narrow, x: int, place: Place) -> int:
        self.claimed.append(x)
        self.parts.append((y := self.value(), x))
        return y

    def zero(self, step: Zero, x: int, place: Place) -> int:
        return self.value()


# Other kinds work channel by channel: pools, norms, activations, dropout.
ORDERS: dict[type[SpecModel], Callable[[_Orders, Any, int, Place], int]] = {
    Conv: _Orders.conv,
    Depthwise: _Orders.depthwise,
    Lrn: _Orders.pinned,
    Zero: _Orders.zero,
    Narrow: _Orders.narrow,
    Chain: _Orders.chain,
    Concat: _Orders.branches,
    Block: _Orders.block,
    Dag: _Orders.dag,
}
