"""A norm after a concatenation becomes a norm on each branch, so that convolutions at their ends absorb theirs.

Rules:

1. Only the norm reads the concatenation, and at least one branch ends in a layer that can absorb a norm
   (``fold_norm``, rules 1 and 2), or in a concatenation of which that is true.
2. Each branch gets the norm of its channels: a slice of each tensor. Branches that absorb nothing keep a norm of their
   own, which is as much work as before.
3. An activation that alone reads the norm moves with it. It works on each element by itself, and a convolution, its
   bias and the activation after it can then be one kernel, which saves reading and writing these channels once more.
   Without such a kernel it is as much work as before, in more calls.

Before: concatenation, norm, activation. After: a norm and an activation on each branch, then the concatenation.
Inference only, since it pays by folding only.

Source: the motion of operations through concatenations in TASO (Jia et al., 2019).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inception_search.graph.graph import Graph, Node
from inception_search.graph.ops import Act, BatchNorm, Concat
from inception_search.passes.expressions import Slice
from inception_search.passes.fold_norm import chain_to
from inception_search.passes.rewrite import Editor, Match, Pass, readers


def find(graph: Graph) -> Iterator[Match]:
    """The norms in ``graph`` after concatenations with a branch that absorbs its part."""
    read_by = readers(graph)
    for index, node in enumerate(graph.nodes):
        if type(node.op) is not BatchNorm:
            continue
        concat = node.inputs[0]
        if type(graph.nodes[concat].op) is Concat and _absorbs(graph, concat, read_by, index):
            after = read_by[index]
            acts = after if len(after) == 1 and after[0] >= 0 and type(graph.nodes[after[0]].op) is Act else []
            yield _match(graph, concat, [index, *acts])


def _absorbs(graph: Graph, index: int, read_by: Sequence[Sequence[int]], reader: int) -> bool:
    """Whether a norm of the value ``index``, which only ``reader`` reads, would be folded at least in part."""
    node = graph.nodes[index]
    if type(node.op) is Concat:
        return read_by[index] == [reader] and any(_absorbs(graph, i, read_by, index) for i in node.inputs)
    return chain_to(graph, index, read_by, reader) is not None


def _match(graph: Graph, index: int, after: Sequence[int]) -> Match:
    concat = graph.nodes[index]
    inputs = tuple(dict.fromkeys(concat.inputs))

    def build(editor: Editor, new: tuple[int, ...]) -> list[int]:
        at = dict(zip(inputs, new, strict=True))
        branches, start = [], 0
        for branch, i in enumerate(concat.inputs):
            value = at[i]
            for each in after:
                value = _part(editor, graph.nodes[each], value, branch, start)
            branches.append(value)
            start += graph.nodes[i].type.channels
        return [editor.add(concat.op, branches, concat.path)]

    return Match((index, *after), inputs, (after[-1],), build)


def _part(editor: Editor, node: Node, value: int, branch: int, start: int) -> int:
    """The norm or the activation of one branch, whose channels begin at ``start``."""
    width = editor.type(value).channels
    tensors = {name: Slice(editor.tensor(node, name), start, width) for name in node.op.tensors()}
    return editor.add(node.op, (value,), f"{node.path}.{branch}", **tensors)


PASS = Pass(
    name="split_norm",
    find=find,
    phases=frozenset({"inference"}),
    summary="a norm after a concatenation becomes a norm on each branch, where one is folded then",
)
