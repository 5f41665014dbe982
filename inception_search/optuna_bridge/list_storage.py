"""A storage for one Optuna study that exists for one proposal: a list of trials that are not copied.

Optuna's in-memory storage deep-copies every trial. With a few hundred trials, creating the study takes longer than the
sampler's proposal.
"""

from __future__ import annotations

import copy
from collections.abc import Container, Iterable, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from optuna.study import Study, StudyDirection, load_study
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState, create_trial

NAME = "engine"


def engine(trials: Iterable[FrozenTrial], objectives: int, sampler: BaseSampler) -> Study:
    """A study that minimises its objectives, with these trials and this sampler."""
    return load_study(study_name=NAME, storage=ListStorage(trials, objectives), sampler=sampler)


class ListStorage(BaseStorage):
    """Stores trials for one study; changed trials are replaced by copies, so the trials passed in stay unchanged."""

    def __init__(self, trials: Iterable[FrozenTrial], objectives: int) -> None:
        self.directions = [StudyDirection.MINIMIZE] * objectives
        self.trials: list[FrozenTrial] = []
        self.user_attrs: dict[str, Any] = {}
        self.system_attrs: dict[str, Any] = {}
        for trial in trials:
            self.create_new_trial(0, trial)

    def create_new_study(self, directions: Sequence[StudyDirection], study_name: str | None = None) -> int:
        """Always the same, because there is only one study."""
        return 0

    def delete_study(self, study_id: int) -> None:
        """Nothing: the study ends with the storage."""

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        """Store a user attribute of the study."""
        self.user_attrs[key] = value

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        """Store a system attribute of the study."""
        self.system_attrs[key] = value

    def get_study_id_from_name(self, study_name: str) -> int:
        """Always the same, because there is only one study."""
        return 0

    def get_study_name_from_id(self, study_id: int) -> str:
        """Always the same, because there is only one study."""
        return NAME

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """Minimise, for every objective."""
        return self.directions

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """The stored user attributes of the study."""
        return self.user_attrs

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """The stored system attributes of the study."""
        return self.system_attrs

    def get_all_studies(self) -> list[FrozenStudy]:
        """The one study."""
        return [FrozenStudy(NAME, None, self.user_attrs, self.system_attrs, 0, directions=self.directions)]

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Add a running trial or a copy of the template; return its number."""
        trial = create_trial(state=TrialState.RUNNING) if template_trial is None else _copied(template_trial)
        trial.number = trial._trial_id = len(self.trials)
        self.trials.append(trial)
        return trial.number

    def set_trial_param(self, trial_id: int, name: str, internal: float, distribution: BaseDistribution) -> None:
        """Add a parameter to a trial."""
        trial = self._replaced(trial_id)
        trial.params = {**trial.params, name: distribution.to_external_repr(internal)}
        trial.distributions = {**trial.distributions, name: distribution}

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """Set the state of a trial, and its values if there are any."""
        trial = self._replaced(trial_id)
        trial.state = state
        if values is not None:
            trial.values = values
        return True

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        """Store the value after one epoch."""
        trial = self._replaced(trial_id)
        trial.intermediate_values = {**trial.intermediate_values, step: intermediate_value}

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Store a user attribute of a trial."""
        trial = self._replaced(trial_id)
        trial.user_attrs = {**trial.user_attrs, key: value}

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Store a system attribute of a trial."""
        trial = self._replaced(trial_id)
        trial.system_attrs = {**trial.system_attrs, key: value}

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """The trial with this number."""
        return self.trials[trial_id]

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """The trials in these states, in order of their numbers."""
        found = [trial for trial in self.trials if states is None or trial.state in states]
        return copy.deepcopy(found) if deepcopy else found

    def _replaced(self, trial_id: int) -> FrozenTrial:
        trial = self.trials[trial_id] = _copied(self.trials[trial_id])
        return trial


def _copied(trial: FrozenTrial) -> FrozenTrial:
    """A shallow copy; ``copy.copy`` takes several times as long, and a study may have thousands of trials."""
    made = FrozenTrial.__new__(FrozenTrial)
    made.__dict__.update(trial.__dict__)
    return made
