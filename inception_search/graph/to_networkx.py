"""The graph as a ``networkx.MultiDiGraph``; only this module imports networkx."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inception_search.graph.graph import Graph

if TYPE_CHECKING:
    from networkx import MultiDiGraph as MultiDiGraph


def to_networkx(graph: Graph, name: str = "") -> MultiDiGraph[str]:
    """``graph`` with its paths as nodes, in topological order; ``inception_search.to_networkx`` lists the attributes.

    A value that one node reads twice has two edges.
    """
    import networkx as nx

    outputs = tuple(graph.nodes[index].path for index in graph.outputs)
    out: MultiDiGraph[str] = nx.MultiDiGraph(name=name, outputs=outputs)
    for node in graph.nodes:
        cost = node.op.cost(graph.input_types(node), node.type)
        out.add_node(
            node.path,
            op=node.op.name,
            attributes=node.op.attributes(),
            path=node.path,
            shape=tuple(node.type),
            params=cost.params,
            macs=cost.macs,
        )
        for position, source in enumerate(graph.nodes[index] for index in node.inputs):
            out.add_edge(source.path, node.path, shape=tuple(source.type), position=position)
    return out
