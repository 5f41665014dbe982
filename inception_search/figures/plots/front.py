"""A Pareto front: all trained networks by cost, with numbers on the front."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inception_search.figures.plots.style import (
    BASELINE,
    LABEL_SIZE,
    SAMPLED,
    cost_axis,
    front_line,
    legend_below,
    marks,
    named,
    new_figure,
    own_style,
)
from inception_search.store.record import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_KINDS = ((False, "o", SAMPLED, "found by the search"), (True, "D", BASELINE, "canonical"))


@dataclass(frozen=True)
class FrontPoint:
    """A trained network; ``place`` is its number on the front, from 1, or None."""

    cost: float
    accuracy: float
    baseline: bool
    place: int | None


@own_style()
def draw_front(points: Sequence[FrontPoint], numbered: Collection[int], cost: str, quality: str = "accuracy") -> Figure:
    """The plot of a front; ``cost`` and ``quality`` name the axes, ``numbered`` are the places to label.

    The y axis begins below the front and below the best nine tenths of all points.
    """
    figure, (ax,) = new_figure(width=9.2, height=4.2)
    low, high = _range(points)
    shown = [point for point in points if point.accuracy >= low]
    below = len(points) - len(shown)
    more = f"; {below} more below {percent(low)} not shown" if below else ""
    named(ax, f"Numbered: on the Pareto front{more}", f"{cost} (logarithmic)", f"validation {quality}")
    cost_axis(ax, [point.cost for point in points], 0.06)
    ax.set_ylim(low, high)
    for baseline, marker, colour, words in _KINDS:
        rest = [p for p in shown if p.place is None and p.baseline is baseline]
        marks(ax, [p.cost for p in rest], [p.accuracy for p in rest], marker, colour)
        if any(p.baseline is baseline for p in shown):
            ax.plot([], [], marker, color=colour, markersize=5, label=words)
    front = sorted((p for p in shown if p.place), key=lambda p: (p.cost, -p.accuracy))
    _step(ax, front)
    for point in front:
        _on_the_front(ax, point, point.place in numbered)
    legend_below(figure, ax)
    return figure


def _range(points: Sequence[FrontPoint]) -> tuple[float, float]:
    values = sorted(point.accuracy for point in points)
    low = min(values[len(values) // 10], *(point.accuracy for point in points if point.place))
    room = max((values[-1] - low) * 0.1, 0.005)
    return low - room, values[-1] + room


def _step(ax: Axes, front: Sequence[FrontPoint]) -> None:
    """The boundary of the dominated region, up to the end of the axis."""
    edge: list[FrontPoint] = []
    for point in front:
        if not edge or point.accuracy > edge[-1].accuracy:
            edge.append(point)
    xs, ys = [*(p.cost for p in edge), ax.get_xlim()[1]], [*(p.accuracy for p in edge), edge[-1].accuracy]
    front_line(ax, xs, ys)


def _on_the_front(ax: Axes, point: FrontPoint, numbered: bool) -> None:
    size, colour = 190 if numbered else 40, BASELINE if point.baseline else SAMPLED
    ax.scatter([point.cost], [point.accuracy], s=size, color=colour, linewidths=0, zorder=4)
    if numbered:
        look: dict[str, Any] = {"ha": "center", "va": "center_baseline", "fontsize": LABEL_SIZE, "fontweight": "bold"}
        ax.text(point.cost, point.accuracy, str(point.place), color="#ffffff", zorder=5, **look)
