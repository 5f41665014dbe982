"""A storage for one Optuna study that lives as long as one ask: a list of trials, none of them copied.

Optuna's own in-memory storage copies every trial it is given in depth; to make a study of a few hundred trials takes it
longer than a sampler takes to propose a point.
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
    """A study that minimises, has these trials and the sampler ``sampler``."""
    return load_study(study_name=NAME, storage=ListStorage(trials, objectives), sampler=sampler)


class ListStorage(BaseStorage):
    """Trials are replaced, never changed in place, so those it was given stay as they were."""

    def __init__(self, trials: Iterable[FrozenTrial], objectives: int) -> None:
        self.directions = [StudyDirection.MINIMIZE] * objectives
        self.trials: list[FrozenTrial] = []
        self.user_attrs: dict[str, Any] = {}
        self.system_attrs: dict[str, Any] = {}
        for trial in trials:
            self.create_new_trial(0, trial)

    def create_new_study(self, directions: Sequence[StudyDirection], study_name: str | None = None) -> int:
        """There is one study."""
        return 0

    def delete_study(self, study_id: int) -> None:
        """It goes with the storage."""

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        """Keep it."""
        self.user_attrs[key] = value

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        """Keep it."""
        self.system_attrs[key] = value

    def get_study_id_from_name(self, study_name: str) -> int:
        """There is one study."""
        return 0

    def get_study_name_from_id(self, study_id: int) -> str:
        """There is one study."""
        return NAME

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """All are minimised."""
        return self.directions

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """What was set."""
        return self.user_attrs

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """What was set."""
        return self.system_attrs

    def get_all_studies(self) -> list[FrozenStudy]:
        """The one study."""
        return [FrozenStudy(NAME, None, self.user_attrs, self.system_attrs, 0, directions=self.directions)]

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """A running trial, or one like the template; its number is its place."""
        trial = create_trial(state=TrialState.RUNNING) if template_trial is None else copy.copy(template_trial)
        trial.number = trial._trial_id = len(self.trials)
        self.trials.append(trial)
        return trial.number

    def set_trial_param(self, trial_id: int, name: str, internal: float, distribution: BaseDistribution) -> None:
        """One more parameter."""
        trial = self._replaced(trial_id)
        trial.params = {**trial.params, name: distribution.to_external_repr(internal)}
        trial.distributions = {**trial.distributions, name: distribution}

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """The trial ends."""
        trial = self._replaced(trial_id)
        trial.state = state
        if values is not None:
            trial.values = values
        return True

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        """One more epoch."""
        trial = self._replaced(trial_id)
        trial.intermediate_values = {**trial.intermediate_values, step: intermediate_value}

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Keep it."""
        trial = self._replaced(trial_id)
        trial.user_attrs = {**trial.user_attrs, key: value}

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Keep it."""
        trial = self._replaced(trial_id)
        trial.system_attrs = {**trial.system_attrs, key: value}

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """The trial with this number."""
        return self.trials[trial_id]

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """The trials in these states, by number."""
        found = [trial for trial in self.trials if states is None or trial.state in states]
        return copy.deepcopy(found) if deepcopy else found

    def _replaced(self, trial_id: int) -> FrozenTrial:
        trial = self.trials[trial_id] = copy.copy(self.trials[trial_id])
        return trial
