"""A run folder's records as a study of Optuna's, in memory: for its plots, importances and dashboard, and for scripts.

What is done to the copy stays in the copy.
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

SAMPLER = "sampler"  # what a sampler wrote down for itself
Make = Callable[[TrialRecord], FrozenTrial]


def study_of(records: Iterable[TrialRecord], space: Space, objectives: tuple[str, ...], name: str) -> optuna.Study:
    """A study with a trial for every record, under the record's number.

    Args:
        records: of a run folder; a number without a record is a trial that is running.
        space: the space of the run.
        objectives: the names of its objectives, which the study's metrics are called, too.
        name: what the study is called.
    """
    copy = StudyCopy(objectives, name)
    for _ in copy.refresh(records, lambda record: trial_of(record, space, objectives, attributes(record))):
        pass
    return copy.study


def trial_of(record: TrialRecord, space: Space, objectives: tuple[str, ...], attributes: dict[str, Any]) -> FrozenTrial:
    """A record as a trial with these user attributes, with the times at which it began and ended."""
    trial = frozen_trial(record, space, objectives, attributes)
    trial.datetime_start = datetime.fromisoformat(record.started)
    if trial.state.is_finished():
        trial.datetime_complete = trial.datetime_start + timedelta(seconds=record.seconds)
    return trial


def attributes(record: TrialRecord) -> dict[str, Any]:
    """All that a record says besides point, values and curve: user attributes of its trial."""
    said = {
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
    return {name: value for name, value in said.items() if value is not None}


class StudyCopy:
    """The study, and how to bring it up to records that have grown."""

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
        """Put every record that is new into the study, as ``made`` makes it; the ids of their trials.

        A number that has no record yet is a trial that is running, without parameters.
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
        """Make a trial that was under way what ``trial`` is."""
        storage = self.storage
        if storage.get_trial(trial_id).state.is_finished():
            return
        for name, known in trial.distributions.items():
            storage.set_trial_param(trial_id, name, known.to_internal_repr(trial.params[name]), known)
        for epoch, value in trial.intermediate_values.items():
            storage.set_trial_intermediate_value(trial_id, epoch, value)
        for key, said in trial.user_attrs.items():
            storage.set_trial_user_attr(trial_id, key, said)
        for key, said in trial.system_attrs.items():
            storage.set_trial_system_attr(trial_id, key, said)
        if trial.state.is_finished():
            storage.set_trial_state_values(trial_id, trial.state, trial.values)
