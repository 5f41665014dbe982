"""Any Optuna sampler as a strategy, given by name or as a Python object.

Each proposal uses a copy of the sampler and all earlier trials, so that a resumed study gets the same proposals. System
attributes that the sampler stores in trials and study are recorded and restored. State inside the sampler is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from inception_search.errors import ConfigError, InceptionSearchError, SpecError, raw
from inception_search.optuna_bridge.engine import Engine, freeze
from inception_search.optuna_bridge.named_sampler import sampler_named
from inception_search.optuna_bridge.sampler_state import plain, reseeded
from inception_search.optuna_bridge.storage import first_line
from inception_search.space.space import Space
from inception_search.strategies.conditionality import check_flat, why_not_flat
from inception_search.strategies.optuna_sampler import OptunaSampler, frozen
from inception_search.strategies.protocol import Candidate, Observation, Problem

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

FACT = "sampler"  # the fact of a trial with the sampler's system attributes
SHOWN = 12  # synthetic trials on which a sampler is tested before a study begins
# Samplers that need a flat space, and samplers that cannot be used, with the reason and an alternative.
FLAT = ("GPSampler", "QMCSampler")
REFUSED = {
    "GridSampler": ("it has a grid of its own", "write strategy: grid"),
    "CmaEsSampler": (
        "it keeps its state as a pickle, which a run folder that may come from others must not hold",
        "write strategy: cmaes, the same algorithm for whole numbers, too",
    ),
}


def make(name: str, problem: Problem, options: Mapping[str, Any]) -> UserSampler:
    """The strategy that uses the sampler ``name``. Raises ConfigError."""
    return UserSampler(problem, sampler_named(name, options, problem.seed), name)


def check(name: str, space: Space, objectives: int, options: Mapping[str, Any]) -> None:
    """Raise ConfigError if the sampler ``name`` cannot be created, or cannot search ``space``.

    The test makes two proposals: one without trials, and one after some synthetic trials.
    """
    sampler = sampler_named(name, options, 0)
    kinds = {kind.__name__ for kind in type(sampler).__mro__ if kind.__module__.startswith("optuna.")}
    for kind, (why, hint) in REFUSED.items():
        if kind in kinds:
            raise ConfigError(f"{name} cannot search: {why}", path="strategy", hint=hint)
    if kinds & set(FLAT):
        check_flat(name, space)
    points = [space.sample(seed) for seed in range(SHOWN)]
    losses = [[float(number + objective) for objective in range(objectives)] for number in range(SHOWN)]
    made_up = [
        freeze(space, point, loss, epochs=1, state="complete", objectives=objectives)
        for point, loss in zip(points, losses, strict=True)
    ]
    for trials in ([], made_up):
        try:
            Engine(space, trials, objectives, _copied(name, sampler)).propose()
        except InceptionSearchError as error:
            if not isinstance(error, SpecError):
                raise
        except Exception as error:  # whatever a sampler raises
            raise _cannot(name, space, error) from None


def draws_at_random(name: str, options: Mapping[str, Any], space: Space) -> str | None:
    """A warning if one of Optuna's genetic algorithms samples some holes of ``space`` at random, else None."""
    kinds = {kind.__name__ for kind in type(sampler_named(name, options, 0)).__mro__}
    why = why_not_flat(space)
    if why is None or "BaseGASampler" not in kinds:
        return None
    return (
        f"{name} inherits only what all points decide, and draws the rest at random: {why}; "
        "the strategies evolution and nsga2 inherit all of it"
    )


class UserSampler(OptunaSampler):
    """A strategy whose sampler sees all trials, under their own numbers."""

    def __init__(self, problem: Problem, sampler: BaseSampler, name: str) -> None:
        super().__init__(problem)
        self.pristine, self.name = sampler, name
        self.first: dict[str, Any] | None = None

    def sampler(self, seed: int) -> BaseSampler:
        """A copy of the original sampler with random generators seeded from ``seed``."""
        return reseeded(self.pristine, seed)

    def shown(self) -> Iterator[FrozenTrial]:
        """Every trial; missing numbers appear as failed trials."""
        for number in range(1 + max(self.history.by_number, default=-1)):
            observation = self.history.by_number.get(number)
            if observation is None:
                space, objectives = self.problem.space, self.problem.objectives
                yield freeze(space, {}, None, epochs=0, state="failed", objectives=objectives)
            else:
                yield self.as_trial(observation)

    def freeze(self, observation: Observation) -> FrozenTrial:
        """An Optuna trial with the sampler's attributes; other trials get those of the sampler's first trial."""
        marks = _marks(observation, "trial") if FACT in observation.facts else self._first()
        return frozen(self.problem, observation, marks)

    def engine(self, number: int, seed: int) -> Engine:
        """The sampler with all trials and with the study attributes that it has stored."""
        written: dict[str, Any] = {}
        for _, observation in sorted(self.history.by_number.items()):
            written |= _marks(observation, "study")
        return Engine(self.problem.space, self.shown(), self.problem.objectives, self.sampler(seed), written)

    def facts(self, engine: Engine) -> dict[str, Any]:
        """The attributes that the sampler stored. Raises ConfigError if they are not plain JSON values."""
        for marks in engine.written.values():
            if lost := sorted(set(marks) - set(plain(marks))):
                rule = f"{self.name} keeps its state as a pickle, or in values that are not plain"
                hint = "use a sampler that keeps plain numbers and texts"
                raise ConfigError(rule, path="strategy", found=raw(", ".join(lost)), hint=hint)
        return {FACT: {what: plain(marks) for what, marks in engine.written.items() if marks}}

    def _first(self) -> dict[str, Any]:
        """The attributes that the sampler stores in the first trial of a study."""
        if self.first is None:
            engine = Engine(self.problem.space, [], self.problem.objectives, self.sampler(self.problem.seed))
            with suppress(SpecError):  # the point is not a valid network
                engine.propose()
            self.first = plain(engine.written["trial"])
        return self.first

    def _suggested(self, engine: Engine) -> Candidate | None:
        try:
            return super()._suggested(engine)
        except InceptionSearchError:
            raise
        except Exception as error:  # whatever a sampler raises
            raise _cannot(self.name, self.problem.space, error) from None


def _marks(observation: Observation, what: str) -> dict[str, Any]:
    """The attributes that the sampler stored in the trial or in the study (``what``), from the record."""
    written = observation.facts.get(FACT)
    marks = written.get(what) if isinstance(written, Mapping) else None
    return plain(marks) if isinstance(marks, Mapping) else {}


def _copied(name: str, sampler: BaseSampler) -> BaseSampler:
    try:
        return reseeded(sampler, 0)
    except Exception as error:  # it holds a lock, a file, a process
        rule, hint = f"{name} cannot be copied, which every trial requires", "use a sampler with plain attributes"
        raise ConfigError(rule, path="strategy", found=raw(first_line(error)), hint=hint) from None


def _cannot(name: str, space: Space, error: Exception) -> ConfigError:
    """The error for a sampler that fails to propose; it names a conditional hole as a possible cause."""
    why = why_not_flat(space)
    hint = "search it with tpe, evolution, nsga2, local or predictor"
    rule = f"{name} cannot search space {space.name!r}" + (f": {why}" if why else "")
    return ConfigError(rule, path="strategy", found=raw(first_line(error)), hint=hint)
