"""The graph as a ``networkx.DiGraph``: the only importer of networkx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inception_search.graph.graph import Graph

if TYPE_CHECKING:
    import networkx


def to_networkx(graph: Graph) -> networkx.DiGraph[Any]:
    """A DiGraph on node indices with ``op`` (text), ``path``, ``type`` and, on edges, ``position``."""
    import networkx as nx

    out: networkx.DiGraph[Any] = nx.DiGraph()
    for index, node in enumerate(graph.nodes):
        out.add_node(index, op=repr(node.op), path=node.path, type=str(node.type))
        for position, source in enumerate(node.inputs):
            out.add_edge(source, index, position=position)
    return out
