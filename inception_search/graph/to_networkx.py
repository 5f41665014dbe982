"""The graph as a ``networkx.MultiDiGraph``: the only importer of networkx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inception_search.graph.graph import Graph

if TYPE_CHECKING:
    import networkx


def to_networkx(graph: Graph) -> networkx.MultiDiGraph[Any]:
    """A directed graph on node indices with ``op`` (text), ``path``, ``type`` and, on edges, ``position``.

    A value that one node reads twice has two edges.
    """
    import networkx as nx

    out: networkx.MultiDiGraph[Any] = nx.MultiDiGraph()
    for index, node in enumerate(graph.nodes):
        out.add_node(index, op=repr(node.op), path=node.path, type=str(node.type))
        for position, source in enumerate(node.inputs):
            out.add_edge(source, index, position=position)
    return out
