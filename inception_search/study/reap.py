"""Putting a study right before it goes on: what a kill left between running, recorded and told."""

from __future__ import annotations

import optuna
from optuna.trial import FrozenTrial, TrialState

from inception_search.space.space import Space
from inception_search.store.run_folder import RunFolder
from inception_search.study.dedupe import Seen
from inception_search.study.driver import MAX_ATTEMPTS, tell_record
from inception_search.study.index import enqueue, running, tell


def ensure_baselines(study: optuna.Study, space: Space) -> int:
    """Queue the canonical modules that no trial has yet; how many were queued."""
    known = {trial.user_attrs.get("label") for trial in study.get_trials(deepcopy=False)}
    missing = [label for label in space.fixed_points if label not in known]
    for label in missing:
        enqueue(study, space.encode(space.fixed_points[label]), label=label)
    return len(missing)


def reap(study: optuna.Study, run: RunFolder) -> int:
    """Tell recorded trials that were not told; queue again those whose process is gone. How many were queued.

    A result that was written but not recorded is trained again: with its seed it comes out the same.
    """
    records = {record.number: record for record in run.records()}
    seen = Seen(records.values())
    queued = 0
    for trial in running(study):
        if trial.number in records:
            tell_record(study, records[trial.number], seen)
        else:
            queued += _requeue(study, trial)
    for number in run.read_results():
        run.clear_result(number)
    return queued


def _requeue(study: optuna.Study, trial: FrozenTrial) -> int:
    """Queue the same point first, then fail the lost trial: a kill between the two loses nothing."""
    attempt = int(trial.user_attrs.get("attempt", 1)) + 1
    again = bool(trial.params) and attempt <= MAX_ATTEMPTS
    if again:
        kept = {name: trial.user_attrs[name] for name in ("label",) if name in trial.user_attrs}
        enqueue(study, trial.params, attempt=attempt, retry_of=trial.number, **kept)
    tell(study, trial.number, None, TrialState.FAIL)
    return int(again)
