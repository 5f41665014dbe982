"""The common style of all plots: colours, axes, and labels that do not overlap."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from inception_search.figures.labels import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from inception_search.store.record import TrialRecord

INK, FAINT, GRID = "#20262d", "#5c6670", "#e2e6ea"
SAMPLED, BEST, BASELINE = "#2a6fb5", "#123c69", "#b8560b"
SERIES = ("#123c69", "#2a6fb5", "#1d7a4a", "#6440a8", "#0e7c86")
PALE = "#a9c6e4"
# Colours on a dark screen; every colour of the plots has a row.
DARK = {
    "#ffffff": "#12161b",
    INK: "#f3f5f7",
    FAINT: "#b4bec8",
    GRID: "#2b333c",
    "#000000": "#f3f5f7",
    SAMPLED: "#7db4ee",
    BEST: "#bcd8f7",
    BASELINE: "#f0ad6b",
    PALE: "#33506e",
    "#1d7a4a": "#6fcf97",
    "#6440a8": "#bfa3f2",
    "#0e7c86": "#5cc6d0",
}
LABEL_SIZE = 8.5  # points
LABEL_STEP = 11.0  # points between the middles of two labels in a column
MANY = 2_000  # marks of one kind; if there are more, only one of overlapping marks is drawn
CELLS = (100, 60)  # across and up; a cell is about as large as a mark
CROWDED = " Of marks that would cover each other, one is drawn."


@contextmanager
def own_style() -> Iterator[None]:
    """Matplotlib's defaults, whatever style the process uses: Optuna's plots set a global style."""
    from matplotlib import style

    with style.context("default"):
        yield


def new_figure(panels: int = 1, width: float = 7.2, height: float = 4.2) -> tuple[Figure, list[Axes]]:
    """A figure of ``width`` by ``height`` inches with ``panels`` empty axes side by side that share their y axis."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, panels, sharey=True, squeeze=False)
    for ax in axes[0]:
        _plain(ax)
    return figure, list(axes[0])


def _plain(ax: Axes) -> None:
    ax.set_axisbelow(True)
    ax.grid(True, color=GRID, linewidth=0.8)
    ax.tick_params(colors=FAINT, labelsize=9)
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(FAINT)


def named(ax: Axes, title: str, x: str, y: str = "") -> None:
    """Title and axis names; ``y`` as percent of validation accuracy."""
    from matplotlib.ticker import PercentFormatter

    ax.set_title(title, loc="left", fontsize=11, color=INK)
    ax.set_xlabel(x, fontsize=9.5, color=INK)
    if y:
        ax.set_ylabel(y, fontsize=9.5, color=INK)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))


def cost_axis(ax: Axes, costs: Sequence[float], room: float) -> None:
    """A logarithmic x axis of ``costs``, with ``room`` (a share of their span) on both sides; ticks like ``2 M``."""
    low, high = min(costs), max(costs)
    beside = max((high / low) ** room, 1.05)
    low, high = low / beside, high * beside
    ticks = _log_ticks(low, high)
    labels = [amount(tick) for tick in ticks]
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.set_xticks(ticks, labels if len(set(labels)) == len(labels) else [f"{tick:,.10g}" for tick in ticks])
    ax.set_xticks([], minor=True)


def _log_ticks(low: float, high: float) -> list[float]:
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        found = [m * 10.0**power for power in powers for m in steps if low <= m * 10.0**power <= high]
        if len(found) >= 3:
            return found
    # So short a part of a logarithmic axis looks straight.
    return next((found for parts in (5, 6, 7) if len(found := _ticks(low, high, parts)) >= 3), _ticks(low, high, 8))


def _ticks(low: float, high: float, parts: int) -> list[float]:
    raw = (high - low) / parts
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw)
    return [step * i for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def amount(value: float) -> str:
    """A cost in three digits: ``2.00 M``, ``0.153``."""
    return count(round(value)) if value >= 1000 else f"{value:.3g}"


def nothing_yet(ax: Axes, text: str) -> None:
    """Show in the middle of empty axes that there is no data."""
    ax.set_xticks([])
    ax.set_yticks([])
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=FAINT, fontsize=11)


def safe(text: str, limit: int = 28) -> str:
    """``text`` on one line and at most ``limit`` long, with ``?`` for characters that the plots' font lacks."""
    shown = "".join(c if c.isprintable() and ord(c) < 0x250 else "?" for c in " ".join(text.split()))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def spread(places: Sequence[float], step: float) -> list[float]:
    """``places`` moved apart until neighbours are ``step`` from each other; their order and mean are kept."""
    order = sorted(range(len(places)), key=lambda i: (places[i], i))
    groups: list[tuple[float, list[int]]] = []  # the middle of a run of labels, and its members
    for index in order:
        groups.append((places[index], [index]))
        while len(groups) > 1 and _touch(groups[-2], groups[-1], step):
            (a, first), (b, second) = groups[-2:]
            middle = (a * len(first) + b * len(second)) / (len(first) + len(second))
            groups[-2:] = [(middle, first + second)]
    moved = [0.0] * len(places)
    for middle, members in groups:
        for position, index in enumerate(members):
            moved[index] = middle + (position - (len(members) - 1) / 2) * step
    return moved


def _touch(low: tuple[float, list[int]], high: tuple[float, list[int]], step: float) -> bool:
    return high[0] - low[0] < step * (len(low[1]) + len(high[1])) / 2


def label_right(ax: Axes, entries: Sequence[tuple[float, str, str]]) -> None:
    """Labels (y, text, colour) right of the axes at their heights, moved apart and connected by thin lines."""
    figure = ax.get_figure(root=True)
    if not entries or figure is None:
        return
    figure.draw_without_rendering()
    points = ax.get_window_extent().height / figure.dpi * 72
    low, high = ax.get_ylim()
    heights = [(y - low) / (high - low) * points for y, _, _ in entries]
    for (y, text, colour), place in zip(entries, spread(heights, LABEL_STEP), strict=True):
        ax.annotate(
            safe(text),
            xy=(1.0, y),
            xycoords=("axes fraction", "data"),
            xytext=(1.03, place / points),
            textcoords="axes fraction",
            va="center",
            ha="left",
            fontsize=LABEL_SIZE,
            color=colour,
            parse_math=False,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.7,
                "shrinkA": 1,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
        )


def apart(xs: Sequence[float], ys: Sequence[float], cells: tuple[int, int] = CELLS) -> list[int]:
    """The points to draw: all, or if there are more than :data:`MANY` the first in each cell of their range."""
    if len(xs) <= MANY:
        return list(range(len(xs)))
    columns, rows = (_cells(values, number) for values, number in zip((xs, ys), cells, strict=True))
    first: dict[tuple[int, int], int] = {}
    for index, cell in enumerate(zip(columns, rows, strict=True)):
        first.setdefault(cell, index)
    return sorted(first.values())


def _cells(values: Sequence[float], number: int) -> list[int]:
    low, span = min(values), max(values) - min(values)
    return [int((value - low) / span * number) if span else 0 for value in values]


def apart_by_cost(costs: Sequence[float], values: Sequence[float], cells: tuple[int, int] = CELLS) -> list[int]:
    """Like :func:`apart`, on a logarithmic axis of costs."""
    return apart([math.log(cost) for cost in costs], values, cells)


def marks(
    ax: Axes,
    costs: Sequence[float],
    values: Sequence[float],
    marker: str,
    colour: str,
    label: str | None = None,
    cells: tuple[int, int] = CELLS,
) -> None:
    """Draw a mark for each value over its cost, except for marks that others would cover."""
    shown = apart_by_cost(costs, values, cells)
    xs, ys = [costs[at] for at in shown], [values[at] for at in shown]
    ax.scatter(xs, ys, s=26, marker=marker, color=colour, alpha=0.85, linewidths=0, label=label, zorder=3)


def front_line(ax: Axes, costs: Sequence[float], values: Sequence[float], label: str | None = None) -> None:
    """The Pareto front as a line of steps, through its points by increasing cost."""
    ax.step(costs, values, where="post", color=BEST, linewidth=1.3, label=label, zorder=2)


def crowded(records: Sequence[TrialRecord]) -> str:
    """A sentence for plots of ``records`` in which not every mark is drawn, else empty."""
    done = sum(record.state == "complete" for record in records)
    return CROWDED if max(done, len(records) - done) > MANY else ""


def whole_numbers(ax: Axes) -> None:
    """Put ticks of the x axis at whole numbers only; at a single one if all marks are at one number."""
    from matplotlib.ticker import FixedLocator, MaxNLocator

    low, high = ax.dataLim.intervalx
    if high - low >= 1:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        return
    middle = round((low + high) / 2)
    ax.set_xlim(middle - 1, middle + 1)
    ax.xaxis.set_major_locator(FixedLocator([middle]))


def shares(ax: Axes) -> None:
    """Limit a y axis of accuracies to 100 %, with room for half a mark."""
    from matplotlib.ticker import FixedLocator

    low, high = ax.get_ylim()
    if high > 1:
        ax.set_ylim(low, 1 + 0.015 * (1 - low))
        ax.yaxis.set_major_locator(FixedLocator([tick for tick in ax.get_yticks() if tick <= 1 + 1e-9]))


def legend_below(figure: Figure, *axes: Axes) -> None:
    """A legend for all of ``axes``, in one row below the figure."""
    shown = {}
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        shown.update({label: handle for label, handle in zip(labels, handles, strict=True) if label not in shown})
    if shown:
        figure.legend(
            shown.values(),
            shown.keys(),
            loc="outside lower center",
            ncols=len(shown),
            frameon=False,
            fontsize=LABEL_SIZE,
            labelcolor=INK,
        )
