"""An Optuna sampler that proposes points: it gets a study made from the trials, which exists for one proposal.

Optuna ranks pruned trials behind complete ones, as this package does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from inception_search.optuna_bridge.frozen_trials import distributions
from inception_search.optuna_bridge.list_storage import engine
from inception_search.optuna_bridge.optuna_logging import quiet
from inception_search.space.holes import Params
from inception_search.space.space import Space


class Engine:
    """Proposes points of ``space`` until one can be trained; all ``objectives`` are minimised."""

    def __init__(
        self,
        space: Space,
        trials: Iterable[FrozenTrial],
        objectives: int,
        sampler: BaseSampler,
        marks: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """``marks``: attributes that the sampler has stored with the study."""
        self.space = space
        self.before = dict(marks)
        self.study = engine(trials, objectives, sampler)
        self.study._storage.system_attrs |= self.before  # type: ignore[attr-defined]
        self.trial: Trial | None = None
        self.written: dict[str, dict[str, Any]] = {}

    def propose(self) -> Params:
        """A point. Raises SpecError if it is not a valid network, and any error of the sampler."""
        with quiet():
            self.trial = self.study.ask()
            try:
                return self.space.suggest(self.trial)[1]
            finally:
                self._read_marks()

    def _read_marks(self) -> None:
        """Read what the sampler has stored with the trial, and what it has newly stored with the study."""
        assert self.trial is not None
        storage = self.study._storage
        of_study = storage.get_study_system_attrs(self.study._study_id)
        self.written = {
            "trial": dict(storage.get_trial_system_attrs(self.trial._trial_id)),
            "study": {name: value for name, value in of_study.items() if self.before.get(name) != value},
        }

    def refuse(self, violation: float) -> None:
        """Mark the last point as infeasible; ``violation`` is how far it is outside the limits."""
        assert self.trial is not None
        self.trial.set_constraint("feasible", violation)
        self.study._storage.set_trial_state_values(self.trial._trial_id, TrialState.PRUNED)


def freeze(
    space: Space,
    params: Params,
    losses: Sequence[float] | None,
    *,
    epochs: int,
    state: Literal["running", "complete", "pruned", "failed"],
    objectives: int,
    marks: Mapping[str, Any] | None = None,
) -> FrozenTrial:
    """A trial in Optuna's form.

    Args:
        space: the space of the study.
        params: its point.
        losses: one number per objective, all minimised; None for a trial without values.
        epochs: the number of epochs it was trained.
        state: its state.
        objectives: the number of objectives.
        marks: attributes that the sampler stored with it.
    """
    values, known = distributions(space, params)
    named: dict[str, Any] = {"params": values, "distributions": known, "system_attrs": dict(marks or {})}
    if losses is None and state == "failed":
        return create_trial(state=TrialState.FAIL, **named)
    if losses is None:
        return create_trial(state=TrialState.RUNNING, **named)
    pruned = state == "pruned"
    if pruned and objectives == 1:
        return create_trial(state=TrialState.PRUNED, intermediate_values={epochs: losses[0]}, **named)
    # With several objectives Optuna takes no intermediate values; a violated constraint ranks a trial behind the rest.
    stopped = 1.0 / (1 + epochs) if pruned else 0.0
    several = {"trained": stopped} if objectives > 1 else None
    return create_trial(state=TrialState.COMPLETE, values=list(losses), constraints=several, **named)


class SharedHolesTpe(TPESampler):
    """TPE that finds the holes common to all points by name, in order to sample them jointly.

    Optuna compares the distributions of all trials one by one, which takes a tenth of a proposal's time. Here each name
    has one distribution, that of the space.
    """

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        if len(study.directions) > 1:  # each hole is then sampled independently
            return {}
        ended = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
        if not ended:
            return {}
        shared = set(ended[0].distributions).intersection(*(each.distributions for each in ended))
        known = {name: ended[0].distributions[name] for name in sorted(shared)}
        return {name: distribution for name, distribution in known.items() if not distribution.single()}


def tpe(seed: int, *, startup: int, candidates: int) -> BaseSampler:
    """TPE that draws the first ``startup`` points at random, and then takes the best of ``candidates`` points."""
    return SharedHolesTpe(seed=seed, n_startup_trials=startup, n_ei_candidates=candidates)


def gp(seed: int, *, startup: int) -> BaseSampler:
    """Gaussian-process search that draws the first ``startup`` points at random."""
    return GPSampler(seed=seed, n_startup_trials=startup, warn_independent_sampling=False)
