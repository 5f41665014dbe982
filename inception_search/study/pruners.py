"""Multi-fidelity: which trials continue at an epoch, stop, or pause and continue later.

All compare trials at equal epochs of one schedule, for one objective or several, because Optuna's pruners do not
support several. Costs known beforehand (parameters, MACs) count from the first epoch on.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from inception_search.analysis.pareto import crowding, ranks
from inception_search.options import Options
from inception_search.runner.executor import Word
from inception_search.study.pruner_options import AshaOptions, HalvingOptions, HyperbandOptions, MedianOptions

Losses: TypeAlias = tuple[float, ...]


class Scheduler(Protocol):
    """Receives the losses of every trial at every epoch; ``spared`` trials are compared with but never stopped."""

    def report(self, number: int, epoch: int, losses: Losses, *, spared: bool = False) -> Word:
        """A trial has finished an epoch (again, when a killed study is resumed); return what it does next."""

    def promotable(self) -> int | None:
        """A paused trial that should continue, or None."""

    def promote(self, number: int) -> None:
        """Note that the paused trial continues."""

    def hold(self, number: int) -> None:
        """Note that the trial is paused at its last reported epoch, whatever its rank there is now."""

    def drop(self, number: int) -> None:
        """Remove a failed trial, so that it takes no place in a ranking."""

    def close(self) -> None:
        """Note that no new trials will come."""


class NoPruning:
    """Every trial is trained to its end."""

    def report(self, number: int, epoch: int, losses: Losses, *, spared: bool = False) -> Word:
        """Continue."""
        return "go on"

    def promotable(self) -> int | None:
        """Nothing is ever paused."""
        return None

    def promote(self, number: int) -> None:
        """Nothing is ever paused."""

    def hold(self, number: int) -> None:
        """Nothing is ever paused."""

    def drop(self, number: int) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


class Median(NoPruning):
    """Stop a trial that is worse than more than half of the comparable trials at the same epoch.

    With several objectives, only trials that cost no more are comparable, where costs are known beforehand: the median
    rule of Golovin et al. ("Google Vizier", KDD 2017), adapted to fronts. By default no trial is stopped in the first
    half of the epochs, because the learning rate is still high.
    """

    def __init__(self, epochs: int, beforehand: tuple[bool, ...], options: MedianOptions) -> None:
        self.first = options.first_epoch or epochs // 2 + 1
        self.startup = options.startup
        self.beforehand = beforehand
        self.epochs: dict[int, dict[int, Losses]] = {}
        self.ordered: dict[int, list[Losses]] = {}
        """Of a study of one objective: the losses at each epoch in ascending order, except NaN."""

    def report(self, number: int, epoch: int, losses: Losses, *, spared: bool = False) -> Word:
        """Stop or continue."""
        seen = self.epochs.setdefault(epoch, {})
        before = seen.pop(number, None)
        if self.beforehand == (False,):
            ahead, others = self._place(epoch, before, losses), len(seen)
        else:
            comparable = [other for other in seen.values() if self._comparable(other, losses)]
            ahead = sum(self._learned(other) < self._learned(losses) for other in comparable)
            others = len(comparable)
        seen[number] = losses
        if spared or epoch < self.first or others < self.startup:
            return "go on"
        return "stop" if ahead > others / 2 else "go on"

    def _place(self, epoch: int, before: Losses | None, losses: Losses) -> int:
        """The number of losses at this epoch that are smaller; ``losses`` then take the place of ``before``."""
        ordered = self.ordered.setdefault(epoch, [])
        if before is not None and not math.isnan(before[0]):
            del ordered[bisect_left(ordered, before)]
        if math.isnan(losses[0]):
            return 0
        ahead = bisect_left(ordered, losses)
        ordered.insert(ahead, losses)
        return ahead

    def _comparable(self, other: Losses, mine: Losses) -> bool:
        return all(a <= b for a, b, known in zip(other, mine, self.beforehand, strict=True) if known)

    def _learned(self, losses: Losses) -> Losses:
        return tuple(loss for loss, known in zip(losses, self.beforehand, strict=True) if not known)


@dataclass
class _Rung:
    """The trials that have reached an epoch: their losses, which continued, and which are exempt from pausing."""

    epoch: int
    losses: dict[int, Losses] = field(default_factory=dict)
    promoted: set[int] = field(default_factory=set)
    exempt: set[int] = field(default_factory=set)

    def ranked(self, among: list[int] | None = None) -> list[int]:
        """Trials of the rung, best first: by non-domination, then by crowding distance."""
        numbers = list(self.losses) if among is None else among
        values = [self.losses[number] for number in numbers]
        front, room = ranks(values), crowding(values)
        order = sorted(range(len(numbers)), key=lambda i: (front[i], *_thin(room[i], values[i]), numbers[i]))
        return [numbers[i] for i in order]

    def drop(self, number: int) -> None:
        """Remove a trial."""
        self.losses.pop(number, None)
        self.promoted.discard(number)
        self.exempt.discard(number)


def _thin(room: float, losses: Losses) -> tuple[float, ...]:
    return losses if len(losses) == 1 else (-room,)


class Asha:
    """Asynchronous successive halving (Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020).

    Algorithm 2: at each rung, a trial continues as soon as it is among the best 1/``eta`` of those that have reached
    the rung; the others pause with their state kept.

    The paper does not cover the end of a study, when few trials may have reached the last rungs. Here, when no new
    trials come, the best ceil(n / eta) of the n trials at a rung continue, from the first rung to the last, and at
    least one that is not exempt from pausing. Of N trials, at least ceil(N / eta^rungs) are trained to the end.
    """

    def __init__(self, rungs: tuple[int, ...], eta: int) -> None:
        self.rungs = [_Rung(epoch) for epoch in rungs]
        self.eta = eta
        self.waiting: set[int] = set()
        self.closed = False

    def report(self, number: int, epoch: int, losses: Losses, *, spared: bool = False) -> Word:
        """Continue between rungs and among the best of a rung; else pause."""
        for lower in self.rungs:
            if lower.epoch < epoch and number in lower.losses:
                lower.promoted.add(number)
        rung = next((rung for rung in self.rungs if rung.epoch == epoch), None)
        if rung is None:
            return "go on"
        rung.losses[number] = losses
        if spared:
            rung.exempt.add(number)
        if spared or number in rung.promoted or number in self._chosen(rung):
            rung.promoted.add(number)
            return "go on"
        return "pause"

    def promotable(self) -> int | None:
        """The best paused trial that is now among the best of its rung, from the highest rung down.

        When no new trials come: from the lowest rung up, and only after all expected trials have reached it.
        """
        for rung in self.rungs if self.closed else reversed(self.rungs):
            for number in self._chosen_at_the_end(rung) if self.closed else self._chosen(rung):
                if number in self.waiting and number not in rung.promoted:
                    return number
            if self.closed and self._awaited(rung):
                return None
        return None

    def _awaited(self, rung: _Rung) -> bool:
        """Whether trials that continued from this rung have not reached the next one yet."""
        following = [upper for upper in self.rungs if upper.epoch > rung.epoch][:1]
        return any(number not in upper.losses for upper in following for number in rung.promoted)

    def promote(self, number: int) -> None:
        """Note that the trial continues from its highest rung."""
        self.waiting.discard(number)
        for rung in self.rungs:
            if number in rung.losses:
                rung.promoted.add(number)

    def hold(self, number: int) -> None:
        """Note that the trial waits on its highest rung."""
        self.waiting.add(number)
        for rung in reversed(self.rungs):
            if number in rung.losses:
                rung.promoted.discard(number)
                return

    def drop(self, number: int) -> None:
        """Remove the trial, so that the next best takes its place on every rung."""
        self.waiting.discard(number)
        for rung in self.rungs:
            rung.drop(number)

    def close(self) -> None:
        """Let the best of every rung that are still paused continue."""
        self.closed = True

    def _chosen(self, rung: _Rung) -> list[int]:
        return rung.ranked()[: len(rung.losses) // self.eta]

    def _chosen_at_the_end(self, rung: _Rung) -> list[int]:
        ranked = rung.ranked()
        chosen = ranked[: math.ceil(len(ranked) / self.eta)]
        searched = [number for number in ranked if number not in rung.exempt]
        return chosen if set(chosen) - rung.exempt else [*chosen, *searched[:1]]


@dataclass
class _Cohort:
    """Trials that are ranked together, and the number of its failed trials."""

    numbers: list[int] = field(default_factory=list)
    failed: int = 0

    @property
    def joined(self) -> int:
        return len(self.numbers) + self.failed


class Halving(Asha):
    """Successive halving (Jamieson and Talwalkar, AISTATS 2016): a rung decides once a whole cohort has reached it.

    A cohort has ``cohort`` trials, by default eta to the power of the number of rungs. When no new trials come,
    incomplete cohorts decide with their trials: the best ceil(n / eta) of the n that reached a rung continue.
    """

    def __init__(self, rungs: tuple[int, ...], eta: int, cohort: int | None = None) -> None:
        super().__init__(rungs, eta)
        self.size: int = cohort or eta ** len(rungs)
        self.cohorts: list[_Cohort] = []

    def report(self, number: int, epoch: int, losses: Losses, *, spared: bool = False) -> Word:
        """As in :class:`Asha`, for the cohort that the trial joined at the first rung."""
        if self.rungs and epoch == self.rungs[0].epoch and not spared and self._cohort(number) is None:
            if not self.cohorts or self.cohorts[-1].joined >= self.size:
                self.cohorts.append(_Cohort())
            self.cohorts[-1].numbers.append(number)
        return super().report(number, epoch, losses, spared=spared)

    def drop(self, number: int) -> None:
        """Remove the trial; its cohort decides without it."""
        super().drop(number)
        if (cohort := self._cohort(number)) is not None:
            cohort.numbers.remove(number)
            cohort.failed += 1

    def _cohort(self, number: int) -> _Cohort | None:
        return next((cohort for cohort in self.cohorts if number in cohort.numbers), None)

    def _chosen(self, rung: _Rung) -> list[int]:
        level = self.rungs.index(rung)
        return self._best_of_cohorts(rung, lambda cohort: self._expected(cohort, level))

    def _chosen_at_the_end(self, rung: _Rung) -> list[int]:
        return self._best_of_cohorts(rung, lambda cohort: 1)

    def _expected(self, cohort: _Cohort, level: int) -> int:
        """The number of trials of a full cohort that reach rung number ``level``, without failed trials."""
        count = self.size - cohort.failed
        for _ in range(level):
            count = math.ceil(count / self.eta)
        return count

    def _best_of_cohorts(self, rung: _Rung, least: Callable[[_Cohort], int]) -> list[int]:
        """The best trials of each cohort that has enough trials at the rung."""
        chosen: list[int] = []
        for cohort in self.cohorts:
            here = [number for number in cohort.numbers if number in rung.losses]
            if here and len(here) >= least(cohort):
                chosen += rung.ranked(here)[: math.ceil(len(here) / self.eta)]
        return chosen


class Hyperband:
    """Hyperband (Li et al., JMLR 2018) with asynchronous brackets, each beginning at another rung.

    Bracket ``s`` gets trials in proportion to n in the paper's algorithm 1. The bracket depends only on the trial
    number, so a resumed study puts every trial into the same bracket.
    """

    def __init__(self, rungs: tuple[int, ...], eta: int, brackets: int | None = None) -> None:
        top = len(rungs)
        used = range(min(brackets or top + 1, top + 1))
        self.brackets = [Asha(rungs[first:], eta) for first in used]
        sizes = [math.ceil((top + 1) / (top - b + 1) * eta ** (top - b)) for b in used]
        self.turns = [bracket for bracket, size in enumerate(sizes) for _ in range(size)]

    def bracket(self, number: int) -> Asha:
        """The bracket of a trial."""
        # A stride coprime to the number of turns spreads the brackets over the study.
        stride = next(step for step in range(7, 10**6) if math.gcd(step, len(self.turns)) == 1)
        return self.brackets[self.turns[number * stride % len(self.turns)]]

    def report(self, number: int, epoch: int, losses: Losses, *, spared: bool = False) -> Word:
        """The decision of its bracket."""
        return self.bracket(number).report(number, epoch, losses, spared=spared)

    def promotable(self) -> int | None:
        """The first promotable trial of any bracket."""
        return next((found for b in self.brackets if (found := b.promotable()) is not None), None)

    def promote(self, number: int) -> None:
        """Note that the trial continues in its bracket."""
        self.bracket(number).promote(number)

    def hold(self, number: int) -> None:
        """Note that the trial waits in its bracket."""
        self.bracket(number).hold(number)

    def drop(self, number: int) -> None:
        """Remove the trial from its bracket."""
        self.bracket(number).drop(number)

    def close(self) -> None:
        """Let the best of every rung of every bracket continue."""
        for bracket in self.brackets:
            bracket.close()


def make_scheduler(options: Options, *, epochs: int, rungs: tuple[int, ...], beforehand: tuple[bool, ...]) -> Scheduler:
    """The pruner for these options.

    Args:
        options: a pruner's options from :func:`~inception_search.study.pruner_options.pruner_options`.
        epochs: the epochs of a whole trial.
        rungs: the epochs at which trials may pause.
        beforehand: which losses are costs.
    """
    if isinstance(options, MedianOptions):
        return Median(epochs, beforehand, options)
    if isinstance(options, HalvingOptions):
        return Halving(rungs, options.eta, options.cohort)
    if isinstance(options, HyperbandOptions):
        return Hyperband(rungs, options.eta, options.brackets)
    return Asha(rungs, options.eta) if isinstance(options, AshaOptions) else NoPruning()
