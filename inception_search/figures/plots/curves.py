"""Learning curves: validation accuracy by epoch of the best trials and the baselines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from inception_search.figures.plots.style import (
    BASELINE,
    SERIES,
    label_right,
    named,
    new_figure,
    nothing_yet,
    shares,
    whole_numbers,
)
from inception_search.store.query import leaderboard, quality_words
from inception_search.store.record import TrialRecord, trial_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOP = 5  # sampled trials shown


def plot_curves(records: Sequence[TrialRecord]) -> Figure:
    """The score by epoch: the five best sampled trials as lines, the baselines dashed."""
    figure, (ax,) = new_figure()
    named(ax, "Learning curves", "epoch", f"validation {quality_words(records)}")
    ranked = leaderboard(records, len(records))
    sampled = list(islice((r for r in ranked if r.origin == "sampled" and r.scores), TOP))
    baselines = [r for r in ranked if r.origin == "baseline" and r.scores]
    if not sampled and not baselines:
        nothing_yet(ax, "no finished trials yet")
        return figure
    ends = []
    styles = [(r, SERIES[i % len(SERIES)], "-") for i, r in enumerate(sampled)]
    drawn = [*styles, *((r, BASELINE, "--") for r in baselines)]
    aside = _aside([record for record, _, _ in drawn])
    for (record, colour, line), step in zip(drawn, aside, strict=True):
        epochs, values = zip(*((epoch + step, value) for epoch, value in record.scores), strict=True)
        ax.plot(epochs, values, line, color=colour, linewidth=1.5, marker="." if len(epochs) < 12 else "")
        ends.append((values[-1], trial_name(record), colour))
    ax.margins(x=0.0, y=0.06)
    ax.set_ylim(bottom=_floor([record for record, _, _ in drawn]))
    whole_numbers(ax)
    shares(ax)
    label_right(ax, ends)
    return figure


def _aside(records: Sequence[TrialRecord]) -> list[float]:
    """The horizontal offset of each curve, so that points of a single common epoch do not overlap."""
    if len({epoch for record in records for epoch, _ in record.scores}) > 1:
        return [0.0] * len(records)
    return [0.8 * (index + 0.5) / len(records) - 0.4 for index in range(len(records))]


def _floor(records: Sequence[TrialRecord]) -> float:
    """The lowest value to show: that of any curve after a fifth of its epochs."""
    values = [[value for _, value in record.scores] for record in records]
    return min(min(curve[len(curve) // 5 :]) for curve in values) - 0.02
