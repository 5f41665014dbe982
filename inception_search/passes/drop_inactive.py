"""Dropout, and zeros in sums, are removed where nothing is trained.

Rules:

1. ``dropout`` returns its input in evaluation.
2. A zero (the operation "none" of NAS-Bench-201) adds nothing to a sum. With a scale other than 1, the first summand
   stays: it is the only one that is not scaled. A sum of one value is that value; one zero of many stays.

Before: the dropout, or the sum. After: its input, or a shorter sum. Only in inference: training needs the randomness,
and running statistics of layers that only a zero reads.

Source: dropout in evaluation, Srivastava et al. (2014), section 4; NAS-Bench-201 (2001.00326), section 2.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inception_search.graph.graph import Graph, Node
from inception_search.graph.ops import Add, Dropout, Zero
from inception_search.passes.drop_identities import without
from inception_search.passes.rewrite import Editor, Match, Pass


def find(graph: Graph) -> Iterator[Match]:
    """The dropouts of ``graph``, and its sums with zeros."""
    for index, node in enumerate(graph.nodes):
        if isinstance(node.op, Dropout):
            yield without(index, node.inputs[0])
        elif isinstance(node.op, Add):
            kept = _summands(graph, node, node.op.scale)
            if len(kept) < len(node.inputs):
                yield _shorter(node, index, kept)


def _summands(graph: Graph, node: Node, scale: float) -> list[int]:
    first, *others = node.inputs
    others = [i for i in others if not isinstance(graph.nodes[i].op, Zero)]
    drop_first = scale == 1.0 and others and isinstance(graph.nodes[first].op, Zero)
    return others if drop_first else [first, *others]


def _shorter(node: Node, index: int, kept: Sequence[int]) -> Match:
    inputs = tuple(dict.fromkeys(node.inputs))

    def build(editor: Editor, new: tuple[int, ...]) -> list[int]:
        at = dict(zip(inputs, new, strict=True))
        values = [at[i] for i in kept]
        return [editor.copy(node, values)] if len(values) > 1 else values

    return Match((index,), inputs, (index,), build)


PASS = Pass(
    name="drop_inactive",
    find=find,
    phases=frozenset({"inference"}),
    summary="dropout, and zeros in sums, are removed",
)
