"""The samplers of Optuna that are strategies here by names of their own."""

from __future__ import annotations

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState


class SharedHolesTpe(TPESampler):
    """TPE that finds the holes that all points have by their names.

    They are drawn together. Optuna compares the distributions of all trials one by one, a tenth of a proposal's time;
    here a name has one distribution, that of the space.
    """

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        if len(study.directions) > 1:  # each hole is then drawn on its own
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
