"""Which properties of networks correlate with accuracy: rank correlations and the importances in a random forest."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from inception_search.analysis.decision_importance import DIGITS, LEAST, too_few
from inception_search.analysis.importance import Bar, Importance
from inception_search.analysis.network_statistics import network_statistics
from inception_search.analysis.rank_correlation import RESAMPLES, draws, interval, spearman, spearman_of, varies
from inception_search.errors import InceptionSearchError
from inception_search.store.query import merged, quality_words
from inception_search.store.record import TrialRecord

Floats = NDArray[np.float64]
TITLE = "Properties of the networks"
FOLDS = 5
TREES = 50
CELLS = 500_000  # ranks in the bootstrap of a property, so that a large study has fewer resamples
LEAST_RESAMPLES = 300
SHUFFLES = 10  # per property and fold
MOST = 1_000  # networks analysed, evenly spaced in training order, because each has to be built
COLUMNS = ("Property", "Spearman's rho#", "95 % interval", "Loss of the forest's R² without it#")


def statistic_importance(records: Iterable[TrialRecord], run: str = "RUN") -> Importance:
    """Spearman's rho of each property with validation accuracy, over complete trials, the strongest first.

    ``run`` is the folder of the study, for the command that continues it.
    """
    known = [record for record in merged(records) if record.state == "complete" and record.score is not None]
    rows, values = _read(known[at * len(known) // MOST] for at in range(MOST)) if len(known) > MOST else _read(known)
    if len(rows) < LEAST:
        return Importance(TITLE, refusal=too_few(len(rows), run))
    names = [name for name in rows[0] if all(name in row for row in rows)]
    table = np.array([[row[name] for name in names] for row in rows])
    kept = [at for at in range(len(names)) if varies(table[:, at])]
    if not varies(values) or not kept:
        return Importance(
            TITLE, refusal=f"All {len(rows)} trained networks have the same properties or the same accuracy."
        )
    table, names = table[:, kept], [names[at] for at in kept]
    explained, losses = _forest(table, values)
    chosen = draws(len(values), resamples=max(LEAST_RESAMPLES, min(RESAMPLES, CELLS // len(values))))
    bars = [
        _bar(name, table[:, at], values, chosen, float(losses[at]) if explained > 0 else None)
        for at, name in enumerate(names)
    ]
    bars.sort(key=lambda bar: (-abs(bar.value), bar.name))
    words = quality_words(known)
    axis = f"Spearman's rank correlation with validation {words}"
    trials = f"{len(values)} complete trials"
    if len(known) > MOST:
        trials = f"{len(values):,} of the {len(known):,} complete trials, evenly spaced by number"
    return Importance(TITLE, _about(trials, explained, words), axis, COLUMNS, tuple(bars))


def _read(records: Iterable[TrialRecord]) -> tuple[list[dict[str, float]], Floats]:
    """The statistics and accuracies of the records whose documents can be read."""
    rows, values = [], []
    for record in records:
        try:
            rows.append(network_statistics(record))
        except InceptionSearchError:
            continue
        values.append(record.score or 0.0)
    return rows, np.array(values)


def _forest(table: Floats, values: Floats) -> tuple[float, Floats]:
    """R² of a random forest on unseen networks, and the loss of R² when each column is shuffled."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.model_selection import KFold

    rng = np.random.default_rng(0)
    total = float(np.square(values - values.mean()).sum())
    error, worse = 0.0, np.zeros(table.shape[1])
    for train, test in KFold(FOLDS, shuffle=True, random_state=0).split(table):
        forest = RandomForestRegressor(TREES, min_samples_leaf=2, random_state=0).fit(table[train], values[train])
        own = float(np.square(forest.predict(table[test]) - values[test]).sum())
        error += own
        for at in range(table.shape[1]):
            shuffled = np.tile(table[test], (SHUFFLES, 1))
            shuffled[:, at] = np.concatenate([rng.permutation(table[test][:, at]) for _ in range(SHUFFLES)])
            missed = np.square(forest.predict(shuffled) - np.tile(values[test], SHUFFLES)).sum() / SHUFFLES
            worse[at] += float(missed) - own
    return 1.0 - error / total, worse / total


def _bar(name: str, column: Floats, values: Floats, chosen: NDArray[np.int64], loss: float | None) -> Bar:
    sample = (spearman(column, values), *interval(spearman_of(column, values, chosen)))
    rho, low, high = (round(value, DIGITS) for value in sample)
    cells = (f"{rho:+.2f}", f"{low:+.2f} to {high:+.2f}", "" if loss is None else f"{loss:.2f}")
    return Bar(name, rho, low, high, tuple(cell.replace("-", "−") for cell in cells))


def _about(trials: str, explained: float, words: str) -> str:
    method = (
        f"Properties of the networks of {trials}, with repeats unrolled. Bars are Spearman's rho with "
        f"validation {words} (right: more goes with better), lines 95 % bootstrap intervals; pale where that holds "
        "zero. Correlated properties share their effects: deeper networks also cost more."
    )
    if explained <= 0:
        return (
            f"{method} A random forest on all of them predicts unseen networks no better than their mean, so its "
            "importances are not shown."
        )
    return (
        f"{method} A random forest on all of them explains {100 * explained:.0f} % of the variance of unseen "
        "networks (five folds); the last column is the loss of R² when the property is shuffled."
    )
