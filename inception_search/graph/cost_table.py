"""The cost of a graph by path: parameters and multiply-adds of every part."""

from __future__ import annotations

from typing import NamedTuple

from inception_search.graph.graph import Graph
from inception_search.graph.types import Type


class Row(NamedTuple):
    """One line of the per-path table."""

    path: str
    ops: str
    type: Type
    params: int
    macs: int


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
    """Costs summed for every prefix of every path, with the output type of that part of the graph."""
    sums: dict[str, tuple[str, Type, int, int]] = {}
    for node in graph.nodes:
        cost = node.op.cost(graph.input_types(node), node.type)
        path = node.path
        while path:
            _, _, params, macs = sums.get(path, ("", node.type, 0, 0))
            sums[path] = (node.op.name, node.type, params + cost.params, macs + cost.macs)
            path = path.rpartition(".")[0]
    return {path: Row(path, *values) for path, values in sums.items()}
