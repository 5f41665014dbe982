"""Equal operations on equal values are computed once.

Rules:

1. An operation is shared if it has no weights and no randomness: pools, activations, sums, concatenations and the like.
   Layers of other packages are not shared: what they hold is not known here.
2. Two operations are equal if their attributes are, and if they read equal values in the same order. Values are equal
   if they are one node, or equal operations; so a whole chain of operations is shared at once.

Before: n nodes with one value. After: the first of them. It is exact in training: gradients are summed at its output
instead of at its input.

Source: Cocke, "Global common subexpression elimination" (1970); Click, "Global code motion, global value numbering".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inception_search.graph.graph import Graph
from inception_search.graph.ops import (
    Act,
    AdaptivePool,
    Add,
    Concat,
    Flatten,
    GlobalPool,
    Lrn,
    Narrow,
    Normalize,
    Pool,
    Scale,
    Zero,
)
from inception_search.passes.rewrite import Editor, Match, Pass

PURE = (Act, AdaptivePool, Add, Concat, Flatten, GlobalPool, Lrn, Narrow, Normalize, Pool, Scale, Zero)


def find(graph: Graph) -> Iterator[Match]:
    """The groups of nodes in ``graph`` with one value."""
    first: dict[object, int] = {}
    number: list[int] = []
    groups: dict[int, list[int]] = {}
    for index, node in enumerate(graph.nodes):
        value = (node.op, tuple(number[i] for i in node.inputs)) if type(node.op) in PURE else index
        number.append(first.setdefault(value, index))
        groups.setdefault(number[-1], []).append(index)
    for group in groups.values():
        if len(group) > 1:
            yield _match(graph, group)


def _match(graph: Graph, group: Sequence[int]) -> Match:
    node = graph.nodes[group[0]]
    reads = [i for index in group for i in graph.nodes[index].inputs]
    inputs = tuple(dict.fromkeys(reads))  # those of the first node come first

    def build(editor: Editor, new: tuple[int, ...]) -> list[int]:
        at = dict(zip(inputs, new, strict=True))
        return [editor.copy(node, [at[i] for i in node.inputs])] * len(group)

    return Match(tuple(group), inputs, tuple(group), build)


PASS = Pass(
    name="share_values",
    find=find,
    phases=frozenset({"training", "inference"}),
    summary="equal operations without weights on one value are computed once",
)
