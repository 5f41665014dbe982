"""A concatenation copies each value once, and channels that are side by side already as one.

Rules:

1. A concatenation that only one other concatenation reads is replaced by its inputs there.
2. Neighbouring inputs that are neighbouring channels of one value, and that nothing else reads, become one ``narrow``.
   A concatenation of one input is that input.

Before: a concatenation of concatenations, or of parts of a value. After: one concatenation. It is exact in training.

Source: ONNX Runtime and TensorRT remove concatenations like this; rule 2 is for values that ``merge_siblings`` parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from inception_search.graph.graph import Graph, Node
from inception_search.graph.ops import Concat, Narrow
from inception_search.passes.rewrite import Editor, Match, Pass, readers


def find(graph: Graph) -> Iterator[Match]:
    """The concatenations in ``graph`` that can be flatter or shorter."""
    read_by = readers(graph)
    for index, node in enumerate(graph.nodes):
        if isinstance(node.op, Concat):
            own = {i for i in node.inputs if read_by[i] == [index]}
            nested = {i for i in own if isinstance(graph.nodes[i].op, Concat)}
            values = [i for x in node.inputs for i in (graph.nodes[x].inputs if x in nested else (x,))]
            runs = list(_runs(graph, values, {i for i in values if len(read_by[i]) == 1}))
            if nested or len(runs) < len(values):
                yield _match(graph, index, nested, runs)


def _runs(graph: Graph, values: Sequence[int], single: set[int]) -> Iterator[list[int]]:
    """``values`` in groups: neighbours that are neighbouring channels of one value are one group."""
    run: list[int] = []
    for i in values:
        if run and not (run[-1] in single and i in single and _adjacent(graph.nodes[run[-1]], graph.nodes[i])):
            yield run
            run = []
        run.append(i)
    yield run


def _adjacent(left: Node, right: Node) -> bool:
    a, b = left.op, right.op
    return (
        isinstance(a, Narrow) and isinstance(b, Narrow) and (left.inputs, a.start + a.width) == (right.inputs, b.start)
    )


def _match(graph: Graph, index: int, nested: set[int], runs: Sequence[Sequence[int]]) -> Match:
    reads = [graph.nodes[run[0]].inputs[0] if len(run) > 1 else run[0] for run in runs]
    inputs = tuple(dict.fromkeys(reads))

    def build(editor: Editor, new: tuple[int, ...]) -> list[int]:
        at = dict(zip(inputs, new, strict=True))
        values = [_joined(editor, graph, run, at[i]) for run, i in zip(runs, reads, strict=True)]
        return [editor.copy(graph.nodes[index], values)] if len(values) > 1 else values

    narrowed = (i for run in runs if len(run) > 1 for i in run)
    return Match(tuple(sorted((*nested, *narrowed, index))), inputs, (index,), build)


def _joined(editor: Editor, graph: Graph, run: Sequence[int], value: int) -> int:
    if len(run) == 1:
        return value
    first = graph.nodes[run[0]]
    assert isinstance(first.op, Narrow)
    width = sum(graph.nodes[i].type.channels for i in run)
    return editor.add(replace(first.op, width=width), (value,), first.path)


PASS = Pass(
    name="flatten_concats",
    find=find,
    phases=frozenset({"training", "inference"}),
    summary="a concatenation within a concatenation is left out, neighbouring parts of a value become one",
)
