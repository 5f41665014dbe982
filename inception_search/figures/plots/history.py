"""The history of a search: accuracy by trial, the best so far, the baselines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from inception_search.figures.plots.style import (
    BASELINE,
    BEST,
    FAINT,
    SAMPLED,
    apart,
    label_right,
    legend_below,
    named,
    new_figure,
    nothing_yet,
    shares,
    whole_numbers,
)
from inception_search.store.query import quality_words
from inception_search.store.record import TrialRecord, trial_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


TICKS = 500  # at most, below the axis


def plot_history(records: Sequence[TrialRecord]) -> Figure:
    """The score by trial number, with a tick below the axis for each incompletely trained trial."""
    figure, (ax,) = new_figure()
    done = [(r.number, r.score, r) for r in records if r.state == "complete" and r.score is not None]
    named(ax, "Search history", "trial", f"validation {quality_words(records)}")
    if not done:
        nothing_yet(ax, "no finished trials yet")
        return figure
    sampled = sorted((n, v) for n, v, r in done if r.origin == "sampled")
    baselines = sorted((n, v, trial_name(r)) for n, v, r in done if r.origin == "baseline")
    _sampled(ax, sampled)
    if baselines:
        numbers, values = [n for n, _, _ in baselines], [v for _, v, _ in baselines]
        ax.scatter(numbers, values, s=34, marker="D", color=BASELINE, label="baseline", zorder=4)
        ax.axhline(max(values), color=BASELINE, linewidth=1, linestyle="--", label="best baseline", zorder=2)
    _unfinished(ax, [r.number for r in records if r.state not in ("complete", "duplicate")])
    ax.margins(x=0.03, y=0.08)
    whole_numbers(ax)
    shares(ax)
    legend_below(figure, ax)
    label_right(ax, [(value, name, BASELINE) for _, value, name in baselines])
    return figure


def _sampled(ax: Axes, sampled: Sequence[tuple[int, float]]) -> None:
    if not sampled:
        return
    numbers, values = [n for n, _ in sampled], [v for _, v in sampled]
    shown = apart(numbers, values)
    xs, ys = [numbers[at] for at in shown], [values[at] for at in shown]
    ax.scatter(xs, ys, s=22, color=SAMPLED, alpha=0.75, linewidths=0, label="sampled", zorder=3)
    best = list(accumulate(values, max))
    ax.step(numbers, best, where="post", color=BEST, linewidth=1.6, label="best sampled so far", zorder=3)


def _unfinished(ax: Axes, numbers: Sequence[int]) -> None:
    if numbers:
        shown = [numbers[at] for at in apart(numbers, numbers, (TICKS, 1))]
        ax.plot(
            shown,
            [0.012] * len(shown),
            "|",
            color=FAINT,
            transform=ax.get_xaxis_transform(),
            label="pruned, infeasible or failed",
        )
