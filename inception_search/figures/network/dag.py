"""A dag as a drawing tree: a box for every step, a + or a bar where values are joined.

A ``zero`` adds nothing to a sum and is not drawn, as in the figures of the benchmarks; the frame's label has the number
of such edges. The words beside the frame list all edges.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from inception_search.figures.network.tree import Box, Column, Group, Mesh, Part, column
from inception_search.spec.documents.to_yaml import dag_lines
from inception_search.spec.step import AnyStep, Chain, Dag, DagNode, Zero

Draw: TypeAlias = Callable[[AnyStep, str], Part]
Join: TypeAlias = Callable[[str, str], Box]  # the box of a join, "add" or "concat", at a path


def dag_part(dag: Dag, path: str, draw: Draw, join: Join) -> Part:
    """The part of ``dag`` at ``path``; ``draw`` draws its steps."""
    mesh = _Mesh(draw, join)
    values = [-1]
    for index, node in enumerate(dag.nodes):
        values.append(mesh.node(node, values, f"{path}.nodes.{index}"))
    words = dag_lines(dag)
    label = words[0] + (f" ({mesh.zeros} zero, not drawn)" if mesh.zeros else "")
    return Group(mesh.part(values[-1], words[1:]), label)


class _Mesh:
    def __init__(self, draw: Draw, join: Join) -> None:
        self.draw = draw
        self.join = join
        self.parts: list[Part] = []
        self.reads: list[tuple[int, ...]] = []
        self.zeros = 0

    def node(self, node: DagNode, values: list[int], path: str) -> int:
        live = list(enumerate(node.inputs))
        if node.join == "add" and len(live) > 1:
            adding = [(i, entry) for i, entry in live if not _vanishes(entry.step)]
            self.zeros += len(live) - len(adding or live[:1])
            live = adding or live[:1]
        ins = [self._step(entry.step, f"{path}.inputs.{i}.step", values[entry.node]) for i, entry in live]
        joined = ins[0] if len(ins) == 1 else self._add(self.join(node.join, f"{path}.{node.join}"), tuple(ins))
        return self._step(node.then, f"{path}.then", joined)

    def _step(self, step: AnyStep, path: str, source: int) -> int:
        part = self.draw(step, path)
        for inner in part.parts if isinstance(part, Column) else (part,):
            source = self._add(inner, (source,))
        return source

    def _add(self, part: Part, reads: tuple[int, ...]) -> int:
        self.parts.append(part)
        self.reads.append(reads)
        return len(self.parts) - 1

    def part(self, last: int, words: tuple[str, ...]) -> Part:
        """The parts that lead to the value ``last``: a mesh, or a column if it is one."""
        needed, stack = set(), [last]
        while stack:
            index = stack.pop()
            if index >= 0 and index not in needed:
                needed.add(index)
                stack.extend(self.reads[index])
        kept = sorted(needed)
        new = {-1: -1} | {index: place for place, index in enumerate(kept)}
        parts = tuple(self.parts[index] for index in kept)
        reads = tuple(tuple(new[source] for source in self.reads[index]) for index in kept)
        if all(sources == (index - 1,) for index, sources in enumerate(reads)):
            return column(*parts)
        return Mesh(parts, reads, words)


def _vanishes(step: AnyStep) -> bool:
    """Whether a step returns zeros for any input."""
    return isinstance(step, Zero) or (isinstance(step, Chain) and isinstance(step.steps[-1], Zero))
