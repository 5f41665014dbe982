"""Records of a run folder as an in-memory Optuna study: for Optuna's plots, importances and dashboard, and for scripts.

Changes to the copy do not reach the run folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import optuna
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from inception_search.optuna_bridge.frozen_trials import frozen_trial
from inception_search.optuna_bridge.optuna_logging import quiet
from inception_search.space.space import Space
from inception_search.store.objectives import directions
from inception_search.store.record import TrialRecord

SAMPLER = "sampler"  # fact with the attributes that a sampler stored for itself
Make = Callable[[TrialRecord], FrozenTrial]


def study_of(records: Iterable[TrialRecord], space: Space, objectives: tuple[str, ...], name: str) -> optuna.Study:
    """A study with one trial per record, under the record's number.

    Args:
        records: records of a run folder; a number without a record is a running trial.
        space: the space of the run.
        objectives: the names of its objectives, also used as names of the study's metrics.
        name: the name of the study.
    """
    copy = StudyCopy(objectives, name)
    for _ in copy.refresh(records, lambda record: trial_of(record, space, objectives, attributes(record))):
        pass
    return copy.study


def trial_of(record: TrialRecord, space: Space, objectives: tuple[str, ...], attributes: dict[str, Any]) -> FrozenTrial:
    """A record as a trial with these user attributes and its start and end times."""
    trial = frozen_trial(record, space, objectives, attributes)
    trial.datetime_start = datetime.fromisoformat(record.started)
    if trial.state.is_finished():
        trial.datetime_complete = trial.datetime_start + timedelta(seconds=record.seconds)
    return trial


def attributes(record: TrialRecord) -> dict[str, Any]:
    """The user attributes of a record's trial: all its facts besides point, values and curve."""
    values = {
        **{name: fact for name, fact in record.facts.items() if name != SAMPLER},
        **record.measures,
        "state": record.state,
        "origin": record.origin,
        "label": record.label,
        "arch_id": record.arch_id,
        "accuracy": record.value,
        "seed": record.seed,
        "seconds": record.seconds,
        "device": record.device,
        "repeat_of": record.repeat_of,
        "duplicate_of": record.duplicate_of,
        "reason": record.reason,
    }
    return {name: value for name, value in values.items() if value is not None}


class StudyCopy:
    """An in-memory study that can be updated when records are added."""

    def __init__(self, objectives: tuple[str, ...], name: str) -> None:
        self.storage = InMemoryStorage()
        self.shown: dict[int, TrialRecord] = {}
        with quiet():
            self.study = optuna.create_study(
                storage=self.storage,
                sampler=optuna.samplers.RandomSampler(seed=0),
                study_name=name,
                directions=directions(objectives),
            )
            self.study.set_metric_names(list(objectives))

    def refresh(self, records: Iterable[TrialRecord], made: Make) -> Iterator[tuple[int, TrialRecord]]:
        """Add every new record to the study as the trial that ``made`` returns; yields trial ids and records.

        A number without a record is a running trial without parameters.
        """
        by_number = {record.number: record for record in records}
        for number in range(max(by_number, default=-1) + 1):
            record, known = by_number.get(number), self._trials()
            if record is not None and self.shown.get(number) != record:
                trial = made(record)
                if number < len(known):
                    trial_id = known[number]._trial_id
                    self._update(trial_id, trial)
                else:
                    trial_id = self._create(trial)
                self.shown[number] = record
                yield trial_id, record
            elif number >= len(known):
                self._create(create_trial(state=TrialState.RUNNING))

    def _trials(self) -> list[FrozenTrial]:
        return self.storage.get_all_trials(self.study._study_id, deepcopy=False)

    def _create(self, trial: FrozenTrial) -> int:
        return self.storage.create_new_trial(self.study._study_id, template_trial=trial)

    def _update(self, trial_id: int, trial: FrozenTrial) -> None:
        """Give an unfinished trial the contents of ``trial``."""
        storage = self.storage
        if storage.get_trial(trial_id).state.is_finished():
            return
        for name, known in trial.distributions.items():
            storage.set_trial_param(trial_id, name, known.to_internal_repr(trial.params[name]), known)
        for epoch, value in trial.intermediate_values.items():
            storage.set_trial_intermediate_value(trial_id, epoch, value)
        for key, attribute in trial.user_attrs.items():
            storage.set_trial_user_attr(trial_id, key, attribute)
        for key, attribute in trial.system_attrs.items():
            storage.set_trial_system_attr(trial_id, key, attribute)
        if trial.state.is_finished():
            storage.set_trial_state_values(trial_id, trial.state, trial.values)
