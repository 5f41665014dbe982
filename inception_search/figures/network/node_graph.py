"""A drawing tree as nodes and edges, for formats with their own layout (DOT, Mermaid)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from inception_search.errors import ConfigError
from inception_search.figures.network.tree import Box, Column, Fork, Group, Mesh, Note, Part, Residual, Tap

SUM = Box(("+",), "add")
End: TypeAlias = tuple[int, str]  # the node an edge leaves, and the words beside it


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge between two nodes; ``label`` is the text beside the wire; ``shortcut``: that of a residual."""

    start: int
    end: int
    label: str = ""
    shortcut: bool = False


@dataclass(slots=True)
class Cluster:
    """Nodes and smaller clusters inside a frame with a label, in drawing order."""

    label: str
    inside: list[int | Cluster] = field(default_factory=list)


@dataclass(slots=True)
class Chart:
    """The boxes of a figure, numbered in drawing order, with the edges between them."""

    nodes: list[Box] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    root: Cluster = field(default_factory=lambda: Cluster(""))


def chart(title: str, panels: Sequence[tuple[str, Part]]) -> Chart:
    """The chart of one drawing, or of several in a cluster each.

    Raises :class:`ConfigError` for a comparison, which is not a single network or module.
    """
    if not panels:
        hint = "save it as .svg, .png, .pdf, .tikz, .html or .txt"
        raise ConfigError("a comparison cannot be written as a graph of boxes", path=title, hint=hint)
    made = Chart()
    for heading, part in panels:
        cluster = made.root
        if len(panels) > 1:
            cluster = Cluster(heading)
            made.root.inside.append(cluster)
        _Walk(made).part(part, cluster, [])
    return made


class _Walk:
    """Adds parts to a chart; ``ends`` are where wires come from, and each part returns where they leave it."""

    def __init__(self, made: Chart) -> None:
        self.made = made

    def part(self, part: Part, cluster: Cluster, ends: list[End]) -> list[End]:
        if isinstance(part, Box):
            return [(self._node(part, cluster, ends), "")]
        if isinstance(part, Note):
            return [(node, f"{label}, {part.text}" if label else part.text) for node, label in ends]
        if isinstance(part, Column):
            for inner in part.parts:
                ends = self.part(inner, cluster, ends)
            return ends
        if isinstance(part, Fork):
            leaving = [end for branch in part.branches for end in self.part(branch, cluster, ends)]
            return leaving if part.join is None else self.part(part.join, cluster, leaving)
        if isinstance(part, Residual):
            node = self._node(SUM, cluster, self.part(part.body, cluster, ends))
            self.made.edges += [Edge(start, node, label, shortcut=True) for start, label in ends]
            return [(node, "")]
        if isinstance(part, Group):
            frame = Cluster(part.label)
            cluster.inside.append(frame)
            return self.part(part.body, frame, ends)
        if isinstance(part, Mesh):
            left: list[list[End]] = []
            for inner, reads in zip(part.parts, part.reads, strict=True):
                entering = [end for source in reads for end in (ends if source < 0 else left[source])]
                left.append(self.part(inner, cluster, entering))
            return left[-1]
        assert isinstance(part, Tap)
        self.part(part.side, cluster, ends)
        return ends

    def _node(self, box: Box, cluster: Cluster, ends: list[End]) -> int:
        number = len(self.made.nodes)
        self.made.nodes.append(box)
        cluster.inside.append(number)
        self.made.edges += [Edge(start, number, label) for start, label in ends]
        return number
