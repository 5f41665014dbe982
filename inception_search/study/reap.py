"""Putting a study right before it goes on: what a kill left between asked, run, recorded and told."""

from __future__ import annotations

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from inception_search.space.holes import Choice, Hole, Integer
from inception_search.space.space import Space
from inception_search.space.spelling import parted
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.study.dedupe import Seen
from inception_search.study.index import enqueue, tell_record, told, unfinished
from inception_search.study.ledger import clear


def reap(study: optuna.Study, run: RunFolder, space: Space) -> list[Trial]:
    """Bring the index up to the records; the trials that were asked and not recorded, by number.

    Of those, a driver records the ones whose result waits in the outbox, and trains the others again.
    """
    records = {record.number: record for record in run.records()}
    seen = Seen(records.values())
    _restore(study, records, seen, space)
    left = []
    for trial in unfinished(study):
        if trial.number in records:
            tell_record(study, records[trial.number], seen)
        else:
            left.append(trial)
    wanted = {trial.number for trial in left}
    for number in _numbered(run):
        if number not in wanted:
            clear(run, number)
    return left


def ensure_baselines(study: optuna.Study, space: Space) -> int:
    """Queue the canonical modules that no trial has yet; how many were queued."""
    known = {trial.user_attrs.get("label") for trial in study.get_trials(deepcopy=False)}
    missing = [label for label in space.fixed_points if label not in known]
    for label in missing:
        decisions, _ = parted(space.encode(space.fixed_points[label]))
        enqueue(study, decisions, label=label)
    return len(missing)


def _numbered(run: RunFolder) -> set[int]:
    """The trials that have a job or a result file."""
    jobs = {int(path.stem) for path in run.jobs_folder.glob("*.json") if path.stem.isdecimal()}
    return jobs | set(run.read_results())


def _restore(study: optuna.Study, records: dict[int, TrialRecord], seen: Seen, space: Space) -> None:
    """Add trials that are recorded and that the index has lost, so that no number is given out twice."""
    known = len(study.get_trials(deepcopy=False))
    for number in range(known, max(records, default=-1) + 1):
        record = records.get(number)
        study.add_trial(create_trial(state=TrialState.FAIL) if record is None else _frozen(record, seen, space))


def _frozen(record: TrialRecord, seen: Seen, space: Space) -> FrozenTrial:
    """The finished trial that a record tells of."""
    state, value = told(record, seen)
    holes = {name: space.holes[name] for name in record.holes if name in space.holes}
    reported = {epoch.epoch: epoch.validation_accuracy for epoch in record.curve}
    if state == TrialState.PRUNED and reported:
        value = reported[max(reported)]
    return create_trial(
        state=state,
        value=value,
        params={name: record.holes[name] for name in holes},
        distributions={name: _distribution(hole) for name, hole in holes.items()},
        user_attrs={"label": record.label} if record.label else {},
        intermediate_values=reported,
        constraints={"feasible": 1.0} if record.state == "infeasible" else None,
    )


def _distribution(hole: Hole) -> BaseDistribution:
    if isinstance(hole, Choice):
        return CategoricalDistribution(hole.domain)
    if isinstance(hole, Integer):
        return IntDistribution(hole.low, hole.high, log=hole.log, step=hole.step)
    return FloatDistribution(hole.low, hole.high, log=hole.log, step=hole.step)
