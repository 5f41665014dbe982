"""Samplers of Optuna as strategies: TPE and Gaussian processes.

A sampler is given a study of its own for every ask, made of what was told, so that the same history gets the same
answer whether or not the search was interrupted. Optuna's pruned trials rank behind complete ones, as they do here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from inception_search.errors import SpecError
from inception_search.optuna_bridge.distributions import distributions
from inception_search.optuna_bridge.list_storage import engine
from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.strategies.conditionality import check_flat
from inception_search.strategies.history import History
from inception_search.strategies.protocol import Observation, Problem, Proposal, Screened
from inception_search.strategies.ranking import best_first
from inception_search.strategies.scale_to_budget import fitted
from inception_search.strategies.unseen_point import fresh_near, fresh_point

STARTUP = 10  # trials, given ones included, before a model is fitted
BROKEN = 1.0  # how far outside a point counts that is no network


class OptunaSampler(ABC):
    """Asks a sampler that knows the best and the latest trials until it proposes a fresh point."""

    BEST, LATEST = 60, 100  # trials that are shown to it: the time of an ask grows with them, its quality hardly
    TRIES = 60
    # Under a tight limit most proposals are outside, and each takes ten milliseconds in a long study. The third one of
    # an ask is made as narrow as it has to be, and those after it; after ten a point near the last is taken. On a model
    # of the trainings of benchmarks/conditional.py, searches that narrowed the first or the second ended 0.4 points
    # lower, +- 0.6, than those that narrowed the third, the sixth or none.
    FIT, OUTSIDE = 3, 10

    def __init__(self, problem: Problem, startup: int = STARTUP) -> None:
        self.problem, self.startup = problem, startup
        self.history = History()
        self.frozen: dict[int, tuple[Observation, FrozenTrial]] = {}

    @abstractmethod
    def sampler(self, seed: int) -> BaseSampler:
        """A new sampler."""

    def tell(self, observation: Observation) -> None:
        """Keep it."""
        self.history.tell(observation)

    def ask(self, number: int) -> Proposal | None:
        """What the sampler proposes, or as much of its widths as the limits allow; where that is never fresh a point
        near the last of it, else a random one."""
        rng = self.problem.rng(number)
        sampler = self.sampler(rng.getrandbits(31))
        study = engine(self._shown(), self.problem.objectives, sampler)
        last: Screened | None = None
        outside = 0
        for _ in range(self.TRIES):
            found = self._asked(study)
            if found is not None and found.fresh:
                return Proposal(found.params)
            last = found or last
            outside += found is None or found.violation > 0.0
            within = self._within(found) if found is not None and outside >= self.FIT else None
            if within is not None:
                return Proposal(within, {"how": "fitted"})
            if outside == self.OUTSIDE:
                break
        params = last and fresh_near(self.problem, last, rng)
        how = "near" if params else "drawn"
        params = params or fresh_point(self.problem, rng)
        return None if params is None else Proposal(params, {"how": how})

    def _asked(self, study: Study) -> Screened | None:
        """What is known of the point that the sampler proposes; None where it is no network."""
        trial = study.ask()
        try:
            screened = self.problem.screen(self.problem.space.suggest(trial)[1])
        except SpecError:
            self.refuse(study, trial, BROKEN)
            return None
        # A known point stays with the sampler as one that is running: it is no good to propose it again.
        if screened.violation > 0.0:
            self.refuse(study, trial, screened.violation)
        return screened

    def _within(self, screened: Screened) -> Params | None:
        """The point with its widths fitted to the study's limits; None where that is none, or not fresh."""
        if self.problem.excess is None or screened.violation == 0.0:
            return None
        params = fitted(self.problem, screened.params)
        return params if params is not None and self.problem.screen(params).fresh else None

    def refuse(self, study: Study, trial: Trial, violation: float) -> None:
        """Tell of a point that cannot be trained."""
        trial.set_constraint("feasible", violation)
        study.tell(trial, state=TrialState.PRUNED)

    def _shown(self) -> Iterator[FrozenTrial]:
        """The trials a sampler is shown, by number."""
        ended = self.history.ended
        kept = {each.number for each in ended[-self.LATEST :]}
        if len(ended) > self.LATEST:
            kept |= {each.number for each in best_first(ended)[: self.BEST]}
        for number in sorted(kept | {each.number for each in self.history.running}):
            yield self._frozen(self.history.by_number[number])

    def _frozen(self, observation: Observation) -> FrozenTrial:
        known = self.frozen.get(observation.number)
        if known is None or known[0] is not observation:
            known = self.frozen[observation.number] = (observation, freeze(self.problem, observation))
        return known[1]


class Tpe(OptunaSampler):
    """Tree-structured Parzen estimator, multivariate for one objective (Bergstra et al., NeurIPS 2011; Watanabe,
    2304.11127; several objectives: Ozaki et al., JAIR 2022). Holes that only some points have are drawn one by one."""

    def sampler(self, seed: int) -> BaseSampler:
        return SharedHolesTpe(seed=seed, n_startup_trials=self.startup)


class SharedHolesTpe(TPESampler):
    """TPE that finds the holes that all points have by their names.

    They are drawn together. Optuna compares the distributions of all trials one by one, a tenth of an ask of ours; here
    a name has one distribution, that of the space.
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


class Gp(OptunaSampler):
    """Gaussian-process search (Optuna's GPSampler) of spaces whose points all have the same holes."""

    BEST, LATEST = 100, 100  # fitting takes the cube of their number
    TRIES = 4  # each takes seconds

    @staticmethod
    def suits(space: Space, objectives: int) -> None:
        """Raise for a space with holes that only some points have."""
        check_flat("gp", space)

    def sampler(self, seed: int) -> BaseSampler:
        return GPSampler(seed=seed, n_startup_trials=self.startup, warn_independent_sampling=False)

    def refuse(self, study: Study, trial: Trial, violation: float) -> None:
        """It stays running: GPSampler reads no pruned trials, but keeps away from running ones."""


def freeze(problem: Problem, observation: Observation) -> FrozenTrial:
    """An observation as a trial of Optuna's."""
    params, known = distributions(problem.space, observation.params)
    losses, epochs = observation.losses, observation.epochs
    if losses is None:
        return create_trial(state=TrialState.RUNNING, params=params, distributions=known)
    if observation.state == "pruned" and problem.objectives == 1:
        reported = {epochs: losses[0]}
        return create_trial(state=TrialState.PRUNED, params=params, distributions=known, intermediate_values=reported)
    # Of several objectives Optuna takes no values on the way; what breaks a constraint ranks behind the rest, too.
    stopped = 1.0 / (1 + epochs) if observation.state == "pruned" else 0.0
    several = {"trained": stopped} if problem.objectives > 1 else None
    return create_trial(
        state=TrialState.COMPLETE, values=losses, params=params, distributions=known, constraints=several
    )
