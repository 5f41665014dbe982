"""Mermaid: a flowchart for Markdown pages that render it (GitHub, GitLab, many wikis)."""

from __future__ import annotations

from collections.abc import Iterator

from inception_search.figures.colours import LIGHT, LIGHT_PAGE
from inception_search.figures.figure import Figure
from inception_search.figures.formats.dot import DIRECTIONS
from inception_search.figures.network.node_graph import Chart, Cluster, Edge, chart
from inception_search.figures.network.tree import Box
from inception_search.figures.paint.svg import clean
from inception_search.figures.printing.palettes import recoloured

_CODES = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;", "\\": "#92;", "|": "#124;"}


def mermaid(figure: Figure) -> bytes:
    """A ``flowchart`` with a class for every kind of box."""
    text = "\n".join(_lines(figure, chart(figure.title, figure.panels)))
    return recoloured(text, figure.how.palette).encode() + b"\n"


def _lines(figure: Figure, made: Chart) -> Iterator[str]:
    yield f"%% {clean(figure.title).replace('%', '')}"
    yield f"flowchart {DIRECTIONS[figure.flow]}"
    yield from _cluster(made.root, made, "  ", iter(range(10**6)))
    yield from map(_edge, made.edges)
    for kind in dict.fromkeys(box.kind for box in made.nodes):
        paint = LIGHT[kind]
        yield f"  classDef {_class(kind)} fill:{paint.fill},stroke:{paint.stroke},color:{LIGHT_PAGE.ink}"


def _cluster(cluster: Cluster, made: Chart, indent: str, numbers: Iterator[int]) -> Iterator[str]:
    for inner in cluster.inside:
        if isinstance(inner, int):
            yield indent + _node(inner, made.nodes[inner])
            continue
        yield f'{indent}subgraph g{next(numbers)}["{escaped(inner.label)}"]'
        yield from _cluster(inner, made, indent + "  ", numbers)
        yield f"{indent}end"


def _node(number: int, box: Box) -> str:
    label = "<br/>".join(map(escaped, box.lines))
    start, end = ("((", "))") if box.kind == "add" else ("([", "])") if box.kind == "input" else ("[", "]")
    return f'n{number}{start}"{label}"{end}:::{_class(box.kind)}'


def _class(kind: str) -> str:
    """The class of a kind; the prefix avoids Mermaid's reserved words."""
    return f"k_{kind}"


def _edge(edge: Edge) -> str:
    arrow = "==>" if edge.shortcut else "-->"
    label = f'|"{escaped(edge.label)}"|' if edge.label else ""
    return f"  n{edge.start} {arrow}{label} n{edge.end}"


def escaped(words: str) -> str:
    """``words`` inside a quoted Mermaid label."""
    return "".join(_CODES.get(char, char) for char in clean(words))
