"""Samplers of Optuna as strategies: TPE and Gaussian processes.

A sampler is given a study of its own for every proposal, made from the history, so that the same history gets the
same point whether or not the search was interrupted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from inception_search.errors import SpecError
from inception_search.options import Options, Whole
from inception_search.optuna_bridge.engine import Engine, freeze, gp, tpe
from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.strategies.conditionality import check_flat
from inception_search.strategies.history import History, best_first
from inception_search.strategies.protocol import Candidate, Observation, Problem, Proposal
from inception_search.strategies.scale_to_budget import fitted
from inception_search.strategies.unseen_point import fresh_near, fresh_point

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

BROKEN = 1.0  # how far outside a point counts that is no network


class SamplerOptions(Options):
    """The options of strategies that use a sampler of Optuna's."""

    tries: Whole = 60
    """Number of proposals of the sampler that may be already tried or outside the limits. Then a point near the last of
    them is proposed, or a random point if there is none."""
    # Under a tight limit most proposals are outside, and each takes ten milliseconds in a long study. On a model of the
    # trainings of benchmarks/conditional.py, searches that narrowed the first or the second ended 0.4 points lower,
    # +- 0.6, than those that narrowed the third, the sixth or none.
    narrow: Whole = 3
    """From this proposal outside the limits on, such proposals are scaled in width until they fit."""
    outside: Whole = 10
    """Number of proposals outside the limits after which a point near the last of them is proposed."""


class ModelOptions(SamplerOptions):
    """The options of samplers that fit a model."""

    startup: Whole = 10
    """Number of trials, baselines included, before the model is used."""
    # The time of a proposal grows with them, its quality hardly.
    best: Whole = 60
    """The model is fitted to this many of the best trials, and to the latest ones."""
    latest: Whole = 100
    """The model is fitted to this many of the latest trials, and to the best ones."""


class OptunaSampler(ABC):
    """Lets a sampler propose, from some of the trials, until a point is fresh."""

    settings: type[SamplerOptions] = SamplerOptions

    def __init__(self, problem: Problem, options: SamplerOptions | None = None) -> None:
        self.problem, self.options = problem, options or self.settings()
        self.history = History()
        self.frozen: dict[int, tuple[Observation, FrozenTrial]] = {}

    @abstractmethod
    def sampler(self, seed: int) -> BaseSampler:
        """A new sampler."""

    @abstractmethod
    def shown(self) -> Iterator[FrozenTrial]:
        """The trials that the sampler knows, by number."""

    def tell(self, observation: Observation) -> None:
        """Keep it."""
        self.history.tell(observation)

    def ask(self, number: int) -> Proposal | None:
        """What the sampler proposes, or as much of its widths as the limits allow; where that is never fresh a point
        near the last of it, else a random one."""
        rng = self.problem.rng(number)
        engine = self.engine(number, rng.getrandbits(31))
        last: Candidate | None = None
        outside = 0
        for _ in range(self.options.tries):
            found = self._asked(engine)
            if found is not None and found.fresh:
                return self._proposal(engine, found.params)
            last = found or last
            outside += found is None or found.violation > 0.0
            within = self._within(found) if found is not None and outside >= self.options.narrow else None
            if within is not None:
                return self._proposal(engine, within, how="fitted")
            if outside == self.options.outside:
                break
        params = last and fresh_near(self.problem, last, rng)
        how = "near" if params else "drawn"
        params = params or fresh_point(self.problem, rng)
        return None if params is None else self._proposal(engine, params, how=how)

    def engine(self, number: int, seed: int) -> Engine:
        """The sampler, with what it knows when it proposes trial ``number``."""
        return Engine(self.problem.space, self.shown(), self.problem.objectives, self.sampler(seed))

    def facts(self, engine: Engine) -> dict[str, Any]:
        """What is kept with the trial."""
        return {}

    def _proposal(self, engine: Engine, params: Params, **facts: Any) -> Proposal:
        return Proposal(params, {**facts, **self.facts(engine)})

    def _asked(self, engine: Engine) -> Candidate | None:
        """The candidate that the sampler proposes; None where its point is no network."""
        try:
            screened = self.problem.screen(engine.propose())
        except SpecError:
            self.refuse(engine, BROKEN)
            return None
        # A known point stays with the sampler as one that is running: it is no good to propose it again.
        if screened.violation > 0.0:
            self.refuse(engine, screened.violation)
        return screened

    def _within(self, screened: Candidate) -> Params | None:
        """The point with its widths fitted to the study's limits; None where that is none, or not fresh."""
        if self.problem.excess is None or screened.violation == 0.0:
            return None
        params = fitted(self.problem, screened.params)
        return params if params is not None and self.problem.screen(params).fresh else None

    def refuse(self, engine: Engine, violation: float) -> None:
        """Report to the sampler that its last point cannot be trained."""
        engine.refuse(violation)

    def as_trial(self, observation: Observation) -> FrozenTrial:
        """An observation as a trial of Optuna's."""
        known = self.frozen.get(observation.number)
        if known is None or known[0] is not observation:
            known = self.frozen[observation.number] = (observation, self.freeze(observation))
        return known[1]

    def freeze(self, observation: Observation) -> FrozenTrial:
        """The same, made anew."""
        return frozen(self.problem, observation)


class ModelSampler(OptunaSampler, ABC):
    """A sampler that fits a model, to the best and the latest trials."""

    settings: type[ModelOptions] = ModelOptions
    options: ModelOptions

    def shown(self) -> Iterator[FrozenTrial]:
        """The best and the latest trials, and those that are running."""
        ended, options = self.history.ended, self.options
        kept = {each.number for each in ended[-options.latest :]}
        if len(ended) > options.latest:
            kept |= {each.number for each in best_first(ended)[: options.best]}
        for number in sorted(kept | {each.number for each in self.history.running}):
            yield self.as_trial(self.history.by_number[number])


class TpeOptions(ModelOptions):
    """The options of ``tpe``."""

    candidates: Whole = 24
    """Number of points that are drawn for each proposal; the one with the best score is proposed."""


class Tpe(ModelSampler):
    """Tree-structured Parzen estimator, multivariate for one objective (Bergstra et al., NeurIPS 2011; Watanabe,
    2304.11127; several objectives: Ozaki et al., JAIR 2022). Holes that only some points have are drawn one by one."""

    settings: type[TpeOptions] = TpeOptions
    options: TpeOptions

    def sampler(self, seed: int) -> BaseSampler:
        return tpe(seed, startup=self.options.startup, candidates=self.options.candidates)


class GpOptions(ModelOptions):
    """The options of ``gp``."""

    # Each takes seconds, and fitting takes the cube of the number of trials.
    tries: Whole = 4
    """Number of proposals of the sampler that may be already tried or outside the limits. Then a point near the last of
    them is proposed, or a random point if there is none."""
    best: Whole = 100
    """The model is fitted to this many of the best trials, and to the latest ones."""


class Gp(ModelSampler):
    """Gaussian-process search (Optuna's GPSampler) of spaces whose points all have the same holes."""

    settings: type[GpOptions] = GpOptions
    options: GpOptions

    @staticmethod
    def suits(space: Space, objectives: int) -> None:
        """Raise for a space with holes that only some points have."""
        check_flat("gp", space)

    def sampler(self, seed: int) -> BaseSampler:
        return gp(seed, startup=self.options.startup)

    def refuse(self, engine: Engine, violation: float) -> None:
        """It stays running: GPSampler reads no pruned trials, but keeps away from running ones."""


def frozen(problem: Problem, observation: Observation, marks: dict[str, Any] | None = None) -> FrozenTrial:
    """An observation as a trial of Optuna's, with the ``marks`` that its sampler wrote down."""
    return freeze(
        problem.space,
        observation.params,
        observation.losses,
        epochs=observation.epochs,
        state=observation.state,
        objectives=problem.objectives,
        marks=marks,
    )
