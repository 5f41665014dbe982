"""Accuracy against cost: all trained trials, the Pareto front, the baselines by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from inception_search.analysis.front import cost_front
from inception_search.figures.plots.style import (
    BASELINE,
    BEST,
    LABEL_SIZE,
    SAMPLED,
    apart_by_cost,
    cost_axis,
    front_line,
    legend_below,
    marks,
    named,
    new_figure,
    nothing_yet,
    safe,
    shares,
)
from inception_search.figures.type_metrics import room_for
from inception_search.store.query import quality_words
from inception_search.store.record import TrialRecord, trial_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COSTS = {"macs": "MACs for one image", "params": "parameters"}
# Possible positions of a label: the direction from its point, and the distance in points.
_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
_DISTANCES = (7, 14, 24, 36)
_AWAY = 5  # px kept free around the middle of a point
CELLS = (60, 60)  # of a panel, across and up; a cell is about as large as a mark
Rectangle: TypeAlias = tuple[float, float, float, float]  # left, bottom, right, top in px


def plot_tradeoff(records: Sequence[TrialRecord]) -> Figure:
    """Validation accuracy against MACs and against parameters, both on logarithmic axes."""
    figure, axes = new_figure(panels=2, width=10.4, height=4.4)
    words = quality_words(records)
    for index, (ax, (cost, name)) in enumerate(zip(axes, COSTS.items(), strict=True)):
        title = f"{words[0].upper()}{words[1:]} and {name.split()[0]}"
        named(ax, title, name, "" if index else f"validation {words}")
        _panel(ax, [r for r in records if r.score is not None and r.cost.get(cost, 0) > 0], cost)
    shares(axes[0])
    legend_below(figure, *axes)
    figure.draw_without_rendering()  # the labels need the final positions of the points
    figure.set_layout_engine("none")
    for ax, cost in zip(axes, COSTS, strict=True):
        _label_baselines(ax, records, cost)
    return figure


def _panel(ax: Axes, records: Sequence[TrialRecord], cost: str) -> None:
    done = [r for r in records if r.state == "complete"]
    if not done:
        nothing_yet(ax, "no finished trials yet")
        return
    front = cost_front(done, cost)
    cost_axis(ax, [r.cost[cost] for r in done], 0.12)
    for origin, marker, colour in (("sampled", "o", SAMPLED), ("baseline", "D", BASELINE)):
        xs, ys = _coordinates([r for r in done if r.origin == origin], cost)
        if xs:
            marks(ax, xs, ys, marker, colour, origin, CELLS)
    xs, ys = _coordinates(front, cost)
    if len(front) > 1:
        front_line(ax, xs, ys, "Pareto front")
    else:
        ring = ax.plot(xs, ys, "o", markersize=10, mfc="none", mec=BEST, mew=1.3, label="Pareto front: one point")
        ring[0].set(zorder=4, clip_on=False)
    ax.margins(y=0.1)


def _coordinates(records: Iterable[TrialRecord], cost: str) -> tuple[list[int], list[float]]:
    pairs = [(r.cost[cost], r.score or 0.0) for r in records]
    return [x for x, _ in pairs], [y for _, y in pairs]


def _label_baselines(ax: Axes, records: Sequence[TrialRecord], cost: str) -> None:
    """Each baseline's name beside its point, where it covers the fewest names and points."""
    done = [r for r in records if r.state == "complete" and r.score is not None and r.cost.get(cost, 0) > 0]
    scale = 72 / ax.figure.dpi  # points per px
    drawn = [done[at] for at in apart_by_cost(*_coordinates(done, cost), CELLS)]
    taken = [(x - _AWAY, y - _AWAY, x + _AWAY, y + _AWAY) for x, y in _pixels(ax, drawn, cost)]
    taken += _along(_pixels(ax, cost_front(done, cost), cost))
    named = sorted((r for r in done if r.origin == "baseline"), key=lambda r: (r.cost[cost], r.number))
    for record, (x, y) in zip(named, _pixels(ax, named, cost), strict=True):
        name = safe(trial_name(record))
        chosen = _free_place((x, y), _text_size(ax, name), taken, _frame(ax))
        taken.append(chosen)
        ax.annotate(
            name,
            xy=(record.cost[cost], record.score or 0.0),
            xytext=(((chosen[0] + chosen[2]) / 2 - x) * scale, ((chosen[1] + chosen[3]) / 2 - y) * scale),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=LABEL_SIZE,
            color=BASELINE,
            parse_math=False,
            arrowprops={"arrowstyle": "-", "color": BASELINE, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3},
        )


def _pixels(ax: Axes, records: Sequence[TrialRecord], cost: str) -> list[tuple[float, float]]:
    places = [ax.transData.transform((x, y)) for x, y in zip(*_coordinates(records, cost), strict=True)]
    return [(float(x), float(y)) for x, y in places]


def _along(front: Sequence[tuple[float, float]]) -> list[Rectangle]:
    """The strips that the line of the Pareto front covers: across, then up."""
    strips: list[Rectangle] = []
    for (x0, y0), (x1, y1) in pairwise(front):
        strips += [(x0, y0 - 1, x1, y0 + 1), (x1 - 1, y0, x1 + 1, y1)]
    return strips


def _text_size(ax: Axes, text: str) -> tuple[float, float]:
    """Width and height in px of a label."""
    scale = LABEL_SIZE * ax.figure.dpi / 72
    return room_for(text, 1000) / 1000 * scale, 1.2 * scale


def _frame(ax: Axes) -> Rectangle:
    box = ax.get_window_extent()
    return (box.x0, box.y0, box.x1, box.y1)


def _free_place(
    point: tuple[float, float], size: tuple[float, float], taken: Sequence[Rectangle], frame: Rectangle
) -> Rectangle:
    """The nearest rectangle of ``size`` beside ``point`` inside ``frame`` that covers the fewest ``taken`` ones."""
    import numpy as np

    rectangles = [_beside(point, size, direction, distance) for distance in _DISTANCES for direction in _DIRECTIONS]
    left, bottom, right, top = np.array(taken).T

    def badness(rectangle: Rectangle) -> int:
        outside = rectangle[0] < frame[0] or rectangle[1] < frame[1]
        outside = outside or rectangle[2] > frame[2] or rectangle[3] > frame[3]
        across = (rectangle[0] < right) & (left < rectangle[2])
        return int((across & (rectangle[1] < top) & (bottom < rectangle[3])).sum()) + 5 * outside

    return min(rectangles, key=badness)


def _beside(
    point: tuple[float, float], size: tuple[float, float], direction: tuple[int, int], distance: float
) -> Rectangle:
    x = point[0] + direction[0] * (distance + size[0] / 2)
    y = point[1] + direction[1] * (distance + size[1] / 2)
    return (x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2)
