"""Figures of graphs of ops: of one, and of a graph before and after rewriting passes."""

from __future__ import annotations

from collections.abc import Callable, Collection

from inception_search.figures.diff.diff import legend, stacked
from inception_search.figures.diff.side_by_side import side_by_side
from inception_search.figures.draw import panels_in
from inception_search.figures.figure import Figure, Flow, figure
from inception_search.figures.network.compose import Panel, sheet
from inception_search.figures.network.measure import Room
from inception_search.figures.network.op_graph import Marker, graph_part
from inception_search.figures.network.place import Placement
from inception_search.figures.network.tree import Mark, Part
from inception_search.figures.paint.svg import clean
from inception_search.figures.printing.palettes import PaletteName
from inception_search.figures.printing.size import fitted, print_of
from inception_search.graph.graph import Graph


def draw_graph(
    graph: Graph,
    title: str,
    *,
    flow: Flow | None = None,
    width: str | float | None = None,
    font_size: float | None = None,
    palette: PaletteName | None = None,
) -> Figure:
    """A figure of the ops that the classifier of ``graph`` depends on; the options are those of ``draw``."""
    how = print_of(width, font_size, palette)
    panels = [("", graph_part(graph))]
    title, flow = clean(title), flow or "down"
    return figure(title or "Graph", panels_in(title, panels, flow, how), panels, flow=flow, how=how)


def draw_rewriting(
    before: Graph,
    after: Graph,
    replaced: Collection[str],
    made: Collection[str],
    title: str,
    *,
    width: str | float | None = None,
    font_size: float | None = None,
    palette: PaletteName | None = None,
) -> Figure:
    """A figure of a graph before and after rewriting passes, side by side.

    Args:
        before: the plain graph.
        after: the rewritten graph.
        replaced: the paths of the nodes of ``before`` that passes replaced.
        made: the paths of the nodes of ``after`` that passes made.
        title: the title of the figure.
        width: the width on paper, as in ``draw``.
        font_size: the size of the text on paper, in points.
        palette: the colours, as in ``draw``.
    """
    how = print_of(width, font_size, palette)
    parts = graph_part(before, _marker(replaced, "removed")), graph_part(after, _marker(made, "added"))
    title = clean(title)

    def laid_out(change: Callable[[Part], Part], room: Room) -> Placement:
        both = side_by_side(change(parts[0]), change(parts[1]), (), ("before", "after"), room)
        return sheet(title, [Panel("", stacked(legend(("added", "removed", "same")), both))], how.room)

    drawing = fitted(how, laid_out, turned=False)
    panels = [("before", parts[0]), ("after", parts[1])]
    return figure(title or "Graph", drawing, panels, how=how)


def _marker(paths: Collection[str], mark: Mark) -> Marker:
    return lambda path: mark if path in paths else "same"
