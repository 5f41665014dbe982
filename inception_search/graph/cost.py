"""What a graph costs: parameters, multiply-adds, activation bytes, depth; in total and by path.

One multiply-add counts as one (MACs, not "FLOPs"); convolutions and linear layers only, for one image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from inception_search.graph.graph import Graph
from inception_search.graph.op import Channels
from inception_search.graph.types import Type

FLOAT_BYTES = 4
_DEEP: Channels = "mixes"


@dataclass(frozen=True)
class Cost:
    """Totals for one image; ``aux_*`` is what the auxiliary classifiers add in training."""

    params: int
    macs: int
    activation_bytes: int  # of every op's output in float32: what training keeps
    depth: int  # convolutions and linear layers on the longest path
    aux_params: int = 0
    aux_macs: int = 0

    @property
    def params_with_aux(self) -> int:
        """Parameters of the network as it is trained."""
        return self.params + self.aux_params

    def to_dict(self) -> dict[str, int]:
        """The main figures by name."""
        names = ("params", "macs", "activation_bytes", "depth")
        return {name: getattr(self, name) for name in names}


class Row(NamedTuple):
    """One line of the per-path table."""

    path: str
    ops: str
    type: Type
    params: int
    macs: int


def cost_of(graph: Graph) -> Cost:
    """The cost of ``graph``; parts that only auxiliary outputs need are counted apart."""
    main = graph.main()
    params, macs, numel = [0, 0], [0, 0], 0
    depth = [0] * len(graph.nodes)
    for index, node in enumerate(graph.nodes):
        cost = node.op.cost(graph.input_types(node), node.type)
        aux = index not in main
        params[aux] += cost.params
        macs[aux] += cost.macs
        numel += 0 if aux else node.type.numel
        depth[index] = max((depth[i] for i in node.inputs), default=0) + (node.op.channels == _DEEP)
    return Cost(
        params[0],
        macs[0],
        numel * FLOAT_BYTES,
        depth[graph.outputs[0]],
        aux_params=params[1],
        aux_macs=macs[1],
    )


def cost_table(graph: Graph, depth: int | None = 1) -> tuple[Row, ...]:
    """Costs summed by the first ``depth`` parts of each path (None: every node), in graph order."""
    rows: dict[str, Row] = {}
    kinds: dict[str, list[str]] = {}
    for node in graph.nodes:
        cost = node.op.cost(graph.input_types(node), node.type)
        path = node.path if depth is None else ".".join(node.path.split(".")[:depth])
        old = rows.get(path)
        names = kinds.setdefault(path, [])
        if node.op.name not in names:
            names.append(node.op.name)
        rows[path] = Row(
            path,
            "",
            node.type,
            cost.params + (old.params if old else 0),
            cost.macs + (old.macs if old else 0),
        )
    return tuple(row._replace(ops="+".join(kinds[row.path])) for row in rows.values())


def cost_by_place(graph: Graph) -> dict[str, Row]:
    """Costs summed for every beginning of every path, with the type that leaves it: what a whole part of a graph is."""
    sums: dict[str, tuple[str, Type, int, int]] = {}
    for node in graph.nodes:
        cost = node.op.cost(graph.input_types(node), node.type)
        path = node.path
        while path:
            _, _, params, macs = sums.get(path, ("", node.type, 0, 0))
            sums[path] = (node.op.name, node.type, params + cost.params, macs + cost.macs)
            path = path.rpartition(".")[0]
    return {path: Row(path, *values) for path, values in sums.items()}
