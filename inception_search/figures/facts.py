"""Shapes and costs by place in the document, read from the lowered graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from inception_search.errors import ConfigError
from inception_search.figures.labels import count, shape
from inception_search.graph.graph import Graph
from inception_search.graph.types import FeatureMap, Type
from inception_search.lowering import lower
from inception_search.spec.network import ConvDefaults, Input, Network, PoolDefaults
from inception_search.spec.step import AnyStep, Repeat, Use, children

MODULE = "module"  # the stage name a step alone is lowered under


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of one place: the type that leaves it, its parameters and its MACs for one image."""

    type: Type
    params: int
    macs: int

    @property
    def shape(self) -> str:
        """``35×35×384``, or ``2048`` for a vector."""
        return shape_text(self.type)

    def lines(self) -> tuple[str, ...]:
        """The lines a detailed box adds: shape, then what is not zero of parameters and MACs."""
        costs = ((self.params, "params"), (self.macs, "MACs"))
        return (self.shape, *(f"{count(value)} {unit}" for value, unit in costs if value))

    def tip(self) -> str:
        """The same on one line, exact."""
        return f"out {self.shape}, {self.params:,} params, {self.macs:,} MACs"


class Facts:
    """The facts of every place of one graph; a place is a node's path or any beginning of it."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._sums: dict[str, tuple[Type, int, int]] = {}
        self._first: dict[str, int] = {}
        for index, node in enumerate(graph.nodes):
            cost = node.op.cost(graph.input_types(node), node.type)
            path = node.path
            while path:
                _, params, macs = self._sums.get(path, (node.type, 0, 0))
                self._sums[path] = (node.type, params + cost.params, macs + cost.macs)
                self._first.setdefault(path, index)
                path = path.rpartition(".")[0]

    def get(self, path: str) -> Fact | None:
        """The fact of ``path``; None where no node is (an identity)."""
        sums = self._sums.get(path)
        return None if sums is None else Fact(*sums)

    def read_by(self, path: str) -> Type | None:
        """The type that the place ``path`` reads."""
        first = self._first.get(path)
        read = () if first is None else self._graph.input_types(self._graph.nodes[first])
        return read[0] if read else None


def shape_text(value: Type) -> str:
    """``35×35×384`` (height, width, channels), or ``2048`` for a vector."""
    return shape(*value) if isinstance(value, FeatureMap) else str(value.channels)


@lru_cache(maxsize=8)
def facts_of_network(network: Network) -> Facts:
    """The facts of a whole network, auxiliary heads included; :class:`ShapeError` where it does not fit."""
    return Facts(lower(network, aux=True))


def facts_of_step(step: AnyStep, input_shape: tuple[int, int, int], network: Network | None) -> Facts:
    """The facts of ``step`` on a (C, H, W) map, as the only stage of a network with ``network``'s defaults."""
    alone = Network(
        name=MODULE,
        input=_input(input_shape),
        conv_defaults=network.conv_defaults if network else ConvDefaults(),
        pool_defaults=network.pool_defaults if network else PoolDefaults(),
        same_padding=network.same_padding if network else "symmetric",
        blocks=network.blocks if network else {},
        stages={MODULE: step},
    )
    return Facts(lower(alone))


def _input(shape: tuple[int, int, int]) -> Input:
    try:
        channels, height, width = shape
        return Input(channels=channels, height=height, width=width)
    except (TypeError, ValueError):
        raise ConfigError(
            "not a shape that can be drawn",
            path="input_shape",
            found=shape,
            expected="(channels, height, width), each a number from 1",
        ) from None


def first_place(network: Network, wanted: AnyStep) -> str | None:
    """The path of the first place of ``network`` where ``wanted`` stands, or None."""
    for name, step in network.stages.items():
        found = _find(step, wanted, name, network.blocks)
        if found is not None:
            return found
    return None


def _find(step: AnyStep, wanted: AnyStep, path: str, blocks: Mapping[str, AnyStep]) -> str | None:
    if step == wanted:
        return path
    if isinstance(step, Use):
        return _find(blocks[step.name], wanted, path, blocks)
    if isinstance(step, Repeat):
        return _find(step.body, wanted, f"{path}.0", blocks)
    for place, part in children(step):
        inner = ".".join(str(p) for p in place if p != "steps")
        found = _find(part, wanted, f"{path}.{inner}", blocks)
        if found is not None:
            return found
    return None
