"""Several seeds of one network as one job of a trial's process."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from inception_search.runner.job import APART
from inception_search.training.many_seeds import train_many
from inception_search.training.seeds_gain import measured_speedup, pays

if TYPE_CHECKING:
    from inception_search.runner.trial_process import Trial


def trained_together(trials: Sequence[Trial], connection: Connection) -> list[dict[str, Any]]:
    """The results of all ``trials``; or a single one, in the state "apart", where they are better trained alone.

    Each has an equal share of the seconds; epochs go out on ``connection`` with the metrics of the first.
    """
    first = trials[0]
    models = [trial.built() for trial in trials]

    def speedup() -> float:
        return measured_speedup(models[0], first.data, first.fidelity, seeds=len(models), aux_weights=first.aux_weights)

    if first.job.if_faster and not pays(first.device, speedup):
        return [{"state": APART, "reason": "together they are not faster here"}]
    report = first.reporter(connection)
    results = train_many(
        models,
        first.data,
        first.fidelity,
        seeds=[trial.job.seed for trial in trials],
        aux_weights=first.aux_weights,
        report=lambda metrics: report(metrics[0]),
        checkpoints=[state for trial in trials if (state := trial.state)],
    )
    for trial in trials:
        trial.word = first.word
    share = 1 / len(trials)
    return [trial.told(model, result, share) for trial, model, result in zip(trials, models, results, strict=True)]
