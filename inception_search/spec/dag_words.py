"""A dag in words, one line a node: ``2 = 0 + max 3x3 of 1; 3x3 16``."""

from __future__ import annotations

from inception_search.spec.step import AnyStep, Chain, Dag, DagInput, DagNode, Identity
from inception_search.spec.text import text

LONGEST = 60  # letters of a line


def dag_lines(dag: Dag) -> tuple[str, ...]:
    """How large the dag is, then its nodes; node 0 is what it reads."""
    return (dag_size(dag), *(_shortened(f"{i} = {node_words(node)}") for i, node in enumerate(dag.nodes, start=1)))


def dag_size(dag: Dag) -> str:
    """``3 nodes, 6 edges``."""
    nodes, edges = len(dag.nodes), sum(len(node.inputs) for node in dag.nodes)
    return f"{nodes} node{'s' * (nodes != 1)}, {edges} edge{'s' * (edges != 1)}"


def node_words(node: DagNode) -> str:
    """What a node computes: ``0 + max 3x3 of 1; 3x3 16``."""
    parts = [_edge(entry) for entry in node.inputs]
    joined = f"concat({', '.join(parts)})" if node.join == "concat" and len(parts) > 1 else " + ".join(parts)
    return joined if isinstance(node.then, Identity) else f"{joined}; {_words(node.then)}"


def _edge(entry: DagInput) -> str:
    return str(entry.node) if isinstance(entry.step, Identity) else f"{_words(entry.step)} of {entry.node}"


def _words(step: AnyStep) -> str:
    if isinstance(step, Chain):
        return f"[{', '.join(map(_words, step.steps))}]"
    return " ".join(text(step).split())


def _shortened(line: str) -> str:
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "\u2026"
