"""Any sampler of Optuna's as a strategy: one that is named, or one that was given in Python.

It proposes every trial anew from all trials before it, so that a study that goes on gets what it would have got.
What it writes down with its trials and its study is kept with ours and shown to it again; what it keeps in itself is
not.
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

FACT = "sampler"  # under which a trial keeps what its sampler wrote down
SHOWN = 12  # made-up trials that a sampler is tried on before a study begins
# Samplers that take no other space or no study of ours, and what to do instead.
FLAT = ("GPSampler", "QMCSampler")
REFUSED = {
    "GridSampler": ("it has a grid of its own", "write strategy: grid"),
    "CmaEsSampler": (
        "it keeps its state as a pickle, which a run folder that may come from others must not hold",
        "write strategy: cmaes, the same algorithm for whole numbers, too",
    ),
}


def make(name: str, problem: Problem, options: Mapping[str, Any]) -> UserSampler:
    """The strategy of the sampler called ``name``. Raises ConfigError."""
    return UserSampler(problem, sampler_named(name, options, problem.seed), name)


def check(name: str, space: Space, objectives: int, options: Mapping[str, Any]) -> None:
    """Raise ConfigError where the sampler called ``name`` cannot be made, or cannot search ``space``.

    It proposes twice, without trials and after some that are made up.
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
    """A sentence where a genetic algorithm of Optuna's draws part of the decisions of ``space`` at random."""
    kinds = {kind.__name__ for kind in type(sampler_named(name, options, 0)).__mro__}
    why = why_not_flat(space)
    if why is None or "BaseGASampler" not in kinds:
        return None
    return (
        f"{name} inherits only what all points decide, and draws the rest at random: {why}; "
        "the strategies evolution and nsga2 inherit all of it"
    )


class UserSampler(OptunaSampler):
    """A sampler that sees every trial under its own number."""

    def __init__(self, problem: Problem, sampler: BaseSampler, name: str) -> None:
        super().__init__(problem)
        self.pristine, self.name = sampler, name
        self.first: dict[str, Any] | None = None

    def sampler(self, seed: int) -> BaseSampler:
        """The sampler as it was given, with random numbers that follow from ``seed``."""
        return reseeded(self.pristine, seed)

    def shown(self) -> Iterator[FrozenTrial]:
        """Every trial; a number that is none of ours is a failed one."""
        for number in range(1 + max(self.history.by_number, default=-1)):
            observation = self.history.by_number.get(number)
            if observation is None:
                space, objectives = self.problem.space, self.problem.objectives
                yield freeze(space, {}, None, epochs=0, state="failed", objectives=objectives)
            else:
                yield self.as_trial(observation)

    def freeze(self, observation: Observation) -> FrozenTrial:
        """A trial with what its sampler wrote down; one that it did not propose counts as one of its first."""
        marks = _marks(observation, "trial") if FACT in observation.facts else self._first()
        return frozen(self.problem, observation, marks)

    def engine(self, number: int, seed: int) -> Engine:
        """The sampler, with all trials, and with what it has written down with the study."""
        written: dict[str, Any] = {}
        for _, observation in sorted(self.history.by_number.items()):
            written |= _marks(observation, "study")
        return Engine(self.problem.space, self.shown(), self.problem.objectives, self.sampler(seed), written)

    def facts(self, engine: Engine) -> dict[str, Any]:
        """What the sampler wrote down. Raises ConfigError where a run folder cannot hold it."""
        for marks in engine.written.values():
            if lost := sorted(set(marks) - set(plain(marks))):
                rule = f"{self.name} keeps its state as a pickle, or in values that are not plain"
                hint = "use a sampler that keeps plain numbers and texts"
                raise ConfigError(rule, path="strategy", found=raw(", ".join(lost)), hint=hint)
        return {FACT: {what: plain(marks) for what, marks in engine.written.items() if marks}}

    def _first(self) -> dict[str, Any]:
        """What the sampler writes down with the first trial of a study."""
        if self.first is None:
            engine = Engine(self.problem.space, [], self.problem.objectives, self.sampler(self.problem.seed))
            with suppress(SpecError):  # its point is no network
                engine.propose()
            self.first = plain(engine.written["trial"])
        return self.first

    def _asked(self, engine: Engine) -> Candidate | None:
        try:
            return super()._asked(engine)
        except InceptionSearchError:
            raise
        except Exception as error:  # whatever a sampler raises
            raise _cannot(self.name, self.problem.space, error) from None


def _marks(observation: Observation, what: str) -> dict[str, Any]:
    """What the sampler wrote down with its trial, or its study, as a record has it."""
    written = observation.facts.get(FACT)
    marks = written.get(what) if isinstance(written, Mapping) else None
    return plain(marks) if isinstance(marks, Mapping) else {}


def _copied(name: str, sampler: BaseSampler) -> BaseSampler:
    try:
        return reseeded(sampler, 0)
    except Exception as error:  # it holds a lock, a file, a process
        rule, hint = f"{name} cannot be copied, as every trial needs it to be", "give a sampler of plain attributes"
        raise ConfigError(rule, path="strategy", found=raw(first_line(error)), hint=hint) from None


def _cannot(name: str, space: Space, error: Exception) -> ConfigError:
    """The error of a sampler that fails to propose, with the hole that may be in its way."""
    why = why_not_flat(space)
    hint = "search it with tpe, evolution, nsga2, local or predictor"
    rule = f"{name} cannot search space {space.name!r}" + (f": {why}" if why else "")
    return ConfigError(rule, path="strategy", found=raw(first_line(error)), hint=hint)
