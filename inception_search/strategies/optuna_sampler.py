"""Samplers of Optuna as strategies: TPE and Gaussian processes.

For every proposal, the sampler gets a new Optuna study built from the history. The same history thus gives the
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
from inception_search.strategies.history import History
from inception_search.strategies.protocol import Candidate, Observation, Problem, Proposal
from inception_search.strategies.scale_to_budget import fitted
from inception_search.strategies.unseen_point import fresh_near, fresh_point

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

BROKEN = 1.0  # the violation reported for a point that is not a network


class SamplerOptions(Options):
    """The options of strategies that use a sampler of Optuna's."""

    tries: Whole = 60
    """Number of proposals of the sampler that may be rejected for one trial (already tried or outside the limits).
    After that, an untried point near the last one is proposed, or a random point if none is near."""
    # Under a tight limit most proposals are infeasible, and each takes ten milliseconds in a long study. On a model of
    # the trainings of benchmarks/conditional.py, searches that narrowed from the first or second proposal ended 0.4
    # +- 0.6 points lower than those that narrowed from the third, from the sixth or never.
    narrow: Whole = 3
    """The first proposal outside the limits, counted from 1, that is scaled in width until it fits; later ones are
    scaled, too."""
    outside: Whole = 10
    """Number of proposals that are outside the limits and do not fit when they are scaled; after that, a point near the
    last of them is proposed."""


class ModelOptions(SamplerOptions):
    """The options of samplers that fit a model."""

    startup: Whole = 10
    """Number of trials, baselines included, before the model is used."""
    # More trials make proposals slower but hardly better.
    best: Whole = 60
    """The model is fitted to this many of the best trials, and to the latest ones."""
    latest: Whole = 100
    """The model is fitted to this many of the latest trials, and to the best ones."""


class OptunaSampler(ABC):
    """Runs a sampler on some of the trials until it proposes an unseen point."""

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
        """The trials that are given to the sampler, by number."""

    def tell(self, observation: Observation) -> None:
        """Store the observation."""
        self.history.tell(observation)

    def ask(self, number: int) -> Proposal | None:
        """The sampler's proposal, narrowed if infeasible; if none is unseen, a point near the last one or at random."""
        rng = self.problem.rng(number)
        engine = self.engine(number, rng.getrandbits(31))
        last: Candidate | None = None
        outside = 0
        for _ in range(self.options.tries):
            found = self._suggested(engine)
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
        """The sampler with all trials that it may use for the proposal of trial ``number``."""
        return Engine(self.problem.space, self.shown(), self.problem.objectives, self.sampler(seed))

    def facts(self, engine: Engine) -> dict[str, Any]:
        """Facts to record with the trial."""
        return {}

    def _proposal(self, engine: Engine, params: Params, **facts: Any) -> Proposal:
        return Proposal(params, {**facts, **self.facts(engine)})

    def _suggested(self, engine: Engine) -> Candidate | None:
        """The candidate that the sampler proposes; None if its point is not a valid network."""
        try:
            screened = self.problem.screen(engine.propose())
        except SpecError:
            self.refuse(engine, BROKEN)
            return None
        # A known point stays a running trial for the sampler, so that it is not proposed again.
        if screened.violation > 0.0:
            self.refuse(engine, screened.violation)
        return screened

    def _within(self, screened: Candidate) -> Params | None:
        """The point with its widths scaled to the study's limits; None if that is impossible or already known."""
        if self.problem.excess is None or screened.violation == 0.0:
            return None
        params = fitted(self.problem, screened.params)
        return params if params is not None and self.problem.screen(params).fresh else None

    def refuse(self, engine: Engine, violation: float) -> None:
        """Report to the sampler that its last point cannot be trained."""
        engine.refuse(violation)

    def as_trial(self, observation: Observation) -> FrozenTrial:
        """The Optuna trial of an observation, cached."""
        known = self.frozen.get(observation.number)
        if known is None or known[0] is not observation:
            known = self.frozen[observation.number] = (observation, self.freeze(observation))
        return known[1]

    def freeze(self, observation: Observation) -> FrozenTrial:
        """The Optuna trial of an observation, newly built."""
        return frozen(self.problem, observation)


class ModelSampler(OptunaSampler, ABC):
    """A sampler that fits a model to the best and the latest trials."""

    settings: type[ModelOptions] = ModelOptions
    options: ModelOptions

    def shown(self) -> Iterator[FrozenTrial]:
        """The best, the latest and the running trials."""
        ended, options = self.history.ended, self.options
        chosen = {each.number for each in ended[-options.latest :]}
        if len(ended) > options.latest:
            chosen |= {each.number for each in self.history.best_few(options.best)}
        chosen |= {each.number for each in self.history.running}
        self.frozen = {number: known for number, known in self.frozen.items() if number in chosen}
        for number in sorted(chosen):
            yield self.as_trial(self.history.by_number[number])


class TpeOptions(ModelOptions):
    """The options of ``tpe``."""

    candidates: Whole = 24
    """Number of points that are drawn for each proposal; the one with the best score is proposed."""


class Tpe(ModelSampler):
    """Tree-structured Parzen estimator, multivariate for one objective (Bergstra et al., NeurIPS 2011; Watanabe,
    2304.11127; several objectives: Ozaki et al., JAIR 2022). Conditional holes are sampled one by one."""

    settings: type[TpeOptions] = TpeOptions
    options: TpeOptions

    def sampler(self, seed: int) -> BaseSampler:
        return tpe(seed, startup=self.options.startup, candidates=self.options.candidates)


class GpOptions(ModelOptions):
    """The options of ``gp``."""

    # Each proposal takes seconds, and the time of a fit grows with the cube of the number of trials.
    tries: Whole = 4
    """Number of proposals of the sampler that may be rejected for one trial (already tried or outside the limits).
    After that, an untried point near the last one is proposed, or a random point if none is near."""
    best: Whole = 100
    """The model is fitted to this many of the best trials, and to the latest ones."""


class Gp(ModelSampler):
    """Gaussian-process search (Optuna's GPSampler) of spaces without conditional holes."""

    settings: type[GpOptions] = GpOptions
    options: GpOptions

    @staticmethod
    def suits(space: Space, objectives: int) -> None:
        """Raise ConfigError for a space with conditional holes."""
        check_flat("gp", space)

    def sampler(self, seed: int) -> BaseSampler:
        return gp(seed, startup=self.options.startup)

    def refuse(self, engine: Engine, violation: float) -> None:
        """Leave the trial running: GPSampler ignores pruned trials, but avoids running ones."""


def frozen(problem: Problem, observation: Observation, marks: dict[str, Any] | None = None) -> FrozenTrial:
    """The Optuna trial of an observation, with the system attributes ``marks`` that its sampler stored."""
    return freeze(
        problem.space,
        observation.params,
        observation.losses,
        epochs=observation.epochs,
        state=observation.state,
        objectives=problem.objectives,
        marks=marks,
    )
