"""Bars of a ranking: the importance of each item, its interval, and the level that chance alone reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inception_search.figures.plots.style import (
    BASELINE,
    BEST,
    FAINT,
    INK,
    LABEL_SIZE,
    PALE,
    SAMPLED,
    new_figure,
    own_style,
    safe,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from inception_search.analysis.importance import Importance

SHOWN = 15  # bars


@own_style()
def bars(ranking: Importance) -> Figure:
    """The first fifteen rows as horizontal bars with intervals; pale where they may be due to chance."""
    rows = list(ranking.rows[:SHOWN])
    figure, (ax,) = new_figure(width=7.2, height=1.1 + 0.27 * max(len(rows), 2))
    places = list(range(len(rows)))
    chance = ranking.chance
    significant = [row.value > chance if chance is not None else row.low > 0 or row.high < 0 for row in rows]
    ax.barh(
        places,
        [row.value for row in rows],
        color=[SAMPLED if sure else PALE for sure in significant],
        height=0.62,
        zorder=2,
    )
    for place, row in zip(places, rows, strict=True):
        ax.plot([row.low, row.high], [place, place], color=BEST, linewidth=1.3, zorder=3, solid_capstyle="butt")
    _axes(ax, ranking, [safe(row.name, 40) for row in rows])
    return figure


def _axes(ax: Axes, ranking: Importance, names: list[str]) -> None:
    ax.set_yticks(range(len(names)), names, fontsize=LABEL_SIZE, color=INK, parse_math=False)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(False, axis="y")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(ranking.axis, fontsize=9.5, color=INK)
    ax.axvline(0, color=FAINT, linewidth=0.8, zorder=1)
    if ranking.chance is not None:
        ax.axvline(ranking.chance, color=BASELINE, linewidth=1, linestyle="--", zorder=4)
        ax.text(
            ranking.chance,
            -0.62,
            " chance",
            color=BASELINE,
            fontsize=LABEL_SIZE,
            va="bottom",
            ha="left",
        )
