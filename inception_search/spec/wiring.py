"""Which node of a dag reads which: what makes a list of nodes a graph from its input to its output."""

from __future__ import annotations

from collections.abc import Sequence

from inception_search.spec.source import RuleError


def check_wiring(reads: Sequence[Sequence[int]]) -> None:
    """A :class:`RuleError` unless nodes 1, 2, ... read earlier ones and all but the last, the output, are read.

    ``reads[i]`` are the numbers of the nodes that node i + 1 reads; 0 is the input.
    """
    for index, sources in enumerate(reads):
        for position, source in enumerate(sources):
            if source > index:
                rule = f"node {index + 1} reads node {source}; a node reads earlier ones, 0 (the input) to {index}"
                raise RuleError(rule, "nodes", index, "inputs", position)
    read = {source for sources in reads for source in sources}
    for index in range(len(reads) - 1):
        if index + 1 not in read:
            rule = f"node {index + 1} does not reach the output, node {len(reads)}; read it, or leave it out"
            raise RuleError(rule, "nodes", index)
