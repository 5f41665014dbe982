"""DOT, the language of Graphviz: boxes and edges, laid out by the program that reads it."""

from __future__ import annotations

from collections.abc import Iterator

from inception_search.figures.colours import LIGHT, LIGHT_PAGE
from inception_search.figures.figure import Figure, Flow
from inception_search.figures.network.node_graph import Chart, Cluster, Edge, chart
from inception_search.figures.network.tree import Box
from inception_search.figures.paint.svg import clean
from inception_search.figures.printing.palettes import recoloured

DIRECTIONS: dict[Flow, str] = {"down": "TB", "up": "BT", "right": "LR"}


def dot(figure: Figure) -> bytes:
    """A ``digraph``; branches keep their order (``ordering=out``)."""
    text = "\n".join(_lines(figure, chart(figure.title, figure.panels)))
    return recoloured(text, figure.how.palette).encode() + b"\n"


def _lines(figure: Figure, made: Chart) -> Iterator[str]:
    ink, wire = LIGHT_PAGE.ink, LIGHT_PAGE.wire
    yield f"digraph {quoted(figure.title)} {{"
    yield f"  graph [rankdir={DIRECTIONS[figure.flow]}, ordering=out, fontname=Helvetica, fontsize=12];"
    yield f'  node [shape=box, style="rounded,filled", fontname=Helvetica, fontsize=12, fontcolor="{ink}"];'
    yield f'  edge [color="{wire}", fontname=Helvetica, fontsize=10, fontcolor="{LIGHT_PAGE.faint}"];'
    yield from _cluster(made.root, made, "  ", iter(range(10**6)))
    yield from map(_edge, made.edges)
    yield "}"


def _cluster(cluster: Cluster, made: Chart, indent: str, numbers: Iterator[int]) -> Iterator[str]:
    for inner in cluster.inside:
        if isinstance(inner, int):
            yield f"{indent}n{inner} [{_node(made.nodes[inner])}];"
            continue
        yield f"{indent}subgraph cluster_{next(numbers)} {{"
        yield f'{indent}  graph [label={quoted(inner.label)}, labeljust=l, style="rounded,dashed"];'
        yield from _cluster(inner, made, indent + "  ", numbers)
        yield f"{indent}}}"


def _node(box: Box) -> str:
    paint = LIGHT[box.kind]
    label = "\\n".join(map(escaped, box.lines))
    facts = [f'label="{label}"', f'fillcolor="{paint.fill}"', f'color="{paint.stroke}"']
    facts += ["shape=circle", "width=0.3", "fixedsize=true"] if box.kind == "add" else []
    return ", ".join([*facts, f"tooltip={quoted(box.tip or ' '.join(box.lines))}"])


def _edge(edge: Edge) -> str:
    facts = [f"label={quoted(' ' + edge.label)}"] if edge.label else []
    facts += ["penwidth=2"] if edge.shortcut else []
    return f"  n{edge.start} -> n{edge.end} [{', '.join(facts)}];"


def quoted(words: str) -> str:
    """``words`` as a quoted DOT string."""
    return f'"{escaped(words)}"'


def escaped(words: str) -> str:
    """``words`` inside a quoted DOT string: clean, with Graphviz's escapes disabled."""
    return clean(words).replace("\\", "\\\\").replace('"', '\\"')
