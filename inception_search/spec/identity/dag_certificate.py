"""The canonical text of a dag: equal for two dags exactly if they differ only in order.

The order of nodes and of the inputs of a sum never counts. That of a concat's inputs does not count where a dense
convolution downstream absorbs the permutation of channels, or where the whole network frees it
(:mod:`inception_search.spec.identity.channel_orders`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from inception_search.spec.identity.canonical_form import Edge, canonical_form
from inception_search.spec.identity.channel_orders import PINNED, Freed, Place, order_mark
from inception_search.spec.step import AnyStep, Dag, DagNode

Absorbs = Callable[[AnyStep, bool], bool]
Code = Callable[[AnyStep, bool, Place, Freed], str]


class Free(NamedTuple):
    """Whether the channel order is free, for each node: of its value, of its joined inputs, and of each input."""

    values: tuple[bool, ...]  # from the input of the dag on
    joined: tuple[bool, ...]  # from node 1 on
    inputs: tuple[bool, ...]


def free_orders(dag: Dag, absorbed: bool, absorbs: Absorbs) -> Free:
    """The channel orders in ``dag`` that later steps can follow; ``absorbed``: the order of its output is free."""
    values = [True] * len(dag.nodes) + [absorbed]
    joined, inputs = [True] * len(dag.nodes), [True] * len(dag.nodes)
    for index in reversed(range(len(dag.nodes))):
        node = dag.nodes[index]
        joined[index] = absorbs(node.then, values[index + 1])
        inputs[index] = joined[index] and (len(node.inputs) == 1 or node.join == "concat")
        for entry in node.inputs:
            values[entry.node] = values[entry.node] and absorbs(entry.step, inputs[index])
    return Free(tuple(values), tuple(joined), tuple(inputs))


def dag_code(dag: Dag, absorbed: bool, place: Place, freed: Freed, code: Code, absorbs: Absorbs) -> str:
    """The canonical text of ``dag`` in normal form at ``place``; ``code`` gives the text of a step."""
    free = free_orders(dag, absorbed, absorbs)
    labels, edges = [""], list[Edge]()
    for index, node in enumerate(dag.nodes):
        at = (*place, index)
        mark = order_mark(free.joined[index], at, freed) if _concatenates(node) else ""
        labels.append(f"{_join(node)}{mark};{code(node.then, free.values[index + 1], (*at, 'then'), freed)}")
        for position, entry in enumerate(node.inputs):
            text = code(entry.step, free.inputs[index], (*at, position), freed)
            edges.append((entry.node, index + 1, f"{position if mark == PINNED else ''};{text}"))
    nodes, wires = canonical_form(labels, edges)
    parts = [*map(_measured, nodes), *(f"{a}>{b}{_measured(label)}" for a, b, label in wires)]
    return f"<{','.join(parts)}>"


def _concatenates(node: DagNode) -> bool:
    return node.join == "concat" and len(node.inputs) > 1


def _join(node: DagNode) -> str:
    return node.join if len(node.inputs) > 1 else ""


def _measured(text: str) -> str:
    """``text`` after its length, so that a sequence of such texts has only one reading."""
    return f"{len(text)}:{text}"
