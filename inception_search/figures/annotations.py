"""Shapes and costs by path, read from the lowered graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from inception_search.figures.labels import count, shape
from inception_search.graph.cost_table import cost_by_place
from inception_search.graph.graph import Graph
from inception_search.graph.types import FeatureMap, Type
from inception_search.lowering import lower
from inception_search.spec.as_network import alone
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep


@dataclass(frozen=True, slots=True)
class Fact:
    """The output type, parameters and MACs (for one image) at one path."""

    type: Type
    params: int
    macs: int

    @property
    def shape(self) -> str:
        """``384×35×35`` (C×H×W), or ``2048`` for a vector."""
        return shape_text(self.type)

    def lines(self) -> tuple[str, ...]:
        """The lines that a detailed box adds: the shape, and the parameters and MACs that are not zero."""
        costs = ((self.params, "params"), (self.macs, "MACs"))
        return (self.shape, *(f"{count(value)} {unit}" for value, unit in costs if value))

    def tip(self) -> str:
        """The same values on one line, exact."""
        return f"out {self.shape}, {self.params:,} params, {self.macs:,} MACs"


class Facts:
    """The facts of every path in one graph; a path is that of a node or a prefix of one."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._rows = cost_by_place(graph)
        self._first: dict[str, int] = {}
        for index, node in enumerate(graph.nodes):
            path = node.path
            while path and path not in self._first:
                self._first[path] = index
                path = path.rpartition(".")[0]

    def get(self, path: str) -> Fact | None:
        """The fact at ``path``; None without a node there (an identity)."""
        row = self._rows.get(path)
        return None if row is None else Fact(row.type, row.params, row.macs)

    def read_by(self, path: str) -> Type | None:
        """The input type of the part at ``path``."""
        first = self._first.get(path)
        read = () if first is None else self._graph.input_types(self._graph.nodes[first])
        return read[0] if read else None


def shape_text(value: Type, words: Callable[[int, int, int], str] = shape) -> str:
    """``384×35×35`` (channels, height, width), or ``2048`` for a vector; ``words`` sets another format."""
    return words(*value) if isinstance(value, FeatureMap) else str(value.channels)


@lru_cache(maxsize=8)
def facts_of_network(network: Network) -> Facts:
    """The facts of a whole network with its auxiliary classifiers; raises :class:`ShapeError` if shapes do not fit."""
    return Facts(lower(network, aux=True))


def facts_of_step(step: AnyStep, input_shape: tuple[int, int, int], network: Network | None) -> Facts:
    """The facts of ``step`` for a (C, H, W) input, as the only stage of a network with ``network``'s defaults."""
    return Facts(lower(alone(step, input_shape, network)))
