"""The loop of a search: propose, train, record, report. What the run folder says counts; all else follows from it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from typing import Any

from inception_search.optuna_bridge.live_study import Running
from inception_search.runner.executor import Executor, Word
from inception_search.runner.gpu_concurrency import Packing
from inception_search.store.objectives import OBJECTIVES, losses, numbers, objective_values
from inception_search.store.query import leaderboard
from inception_search.store.record import TrialRecord
from inception_search.strategies.protocol import Proposal
from inception_search.study.ledger import Ledger
from inception_search.study.pruners import Scheduler
from inception_search.study.queue import Proposer
from inception_search.study.trial import Trial
from inception_search.study.trial_loop import TrialLoop

_FLUSH = 5.0  # seconds that a storage which does not answer is waited for at the end


class Driver(TrialLoop):
    """Runs a study to its end, or until ``stop`` is set.

    ``unfinished`` are the trials that an earlier driver began and did not record; they come first.
    """

    def __init__(
        self,
        ledger: Ledger,
        proposer: Proposer,
        scheduler: Scheduler,
        executor: Executor,
        unfinished: Iterable[Trial] = (),
        stop: threading.Event | None = None,
        packing: Packing | None = None,
    ) -> None:
        super().__init__(ledger.run, ledger.context, executor, ledger.observer.note, unfinished, stop, packing)
        self.ledger, self.proposer, self.scheduler = ledger, proposer, scheduler
        self.live, self.observer = ledger.live, ledger.observer
        self.repeats: deque[Trial] = deque()
        self.paused: dict[int, Trial] = {}
        """Paused trials, as far as this driver has made them."""
        known = (*ledger.records, *(trial.number for trial in self.unfinished), len(self.live) - 1)
        self.number = max(known) + 1
        self.learned = next(name for name in self.context.config.objectives if not OBJECTIVES[name].beforehand)
        self.exhausted = self.closed = False
        self.live.records, self.live.running = ledger.records, self.under_way

    def loop(self) -> bool:
        """Train until the wanted number of trials is trained; False when stopped before."""
        self.observer.started(self.context.config, list(self.ledger.records.values()))
        try:
            return super().loop()
        finally:
            if not self.live.flush(0.0 if self.stop.is_set() else _FLUSH):
                self.note("the Optuna storage is not up to date; resuming the study brings it up to date")

    def under_way(self) -> Running:
        """Parameters and attributes of the trials that are begun and not recorded, by number."""
        begun = [*self.unfinished, *self.running.values()]
        return {trial.number: (trial.params, trial.attributes) for trial in begun}

    def adopt(self) -> None:
        """Record what an earlier driver finished; the strategy knows of what it began, and repeats are queued."""
        for trial in self.unfinished:
            self.ledger.start(trial)
        super().adopt()
        for trial in self.unfinished:
            self.proposer.tell(trial.view(self.context.space))
        for record in list(self.ledger.records.values()):
            if self.repeated_at_once(record):
                self.queue_repeats(record)

    def begin_another(self) -> bool:
        """Go on with a paused trial, or begin a repeat or a new one; whether anything was begun."""
        paused = self.scheduler.promotable()
        if paused is not None:
            self.promote(paused)
            return True
        if self.repeats:
            return self.begin(self.repeats.popleft())
        if len(self.ledger.begun) >= self.context.config.trials or self.exhausted:
            return False
        return self.ask()

    def ask(self) -> bool:
        """Begin the next proposal, if there is one that can be trained."""
        proposal = self.proposer.next(self.number)
        if proposal is None:
            if not self.running:  # what is running may give the strategy new places to look
                self.exhausted = True
                self.note("no more points that are new and can be trained were found: the search ends here")
            return False
        return self.consider(proposal)

    def consider(self, proposal: Proposal) -> bool:
        """Begin a proposal; one that cannot be trained (a canonical module, say) is recorded with the reason."""
        candidate = self.proposer.screen(proposal.params)
        if candidate.network is None:
            self.note(f"{proposal.label or 'a point'} gives no network: {candidate.reason}")
            return True
        trial = Trial.of(self.number, candidate, proposal, self.context.config.seed)
        if candidate.fresh:
            return self.begin(trial)
        self.number += 1
        if candidate.trial is not None:
            self.ledger.duplicate(trial, candidate.trial)
        else:
            self.ledger.infeasible(trial, candidate.reason or "it cannot be trained")
        return True

    def begin(self, trial: Trial) -> bool:
        """A new trial: durable in the run folder first, then in the Optuna study, then at work."""
        trial.number, self.number = self.number, self.number + 1
        self.submit(trial, 1, 1)
        self.live.begin(trial.number, trial.params, trial.attributes)
        self.proposer.tell(trial.view(self.context.space))
        self.start(trial.number)
        return True

    def promote(self, number: int) -> None:
        """A paused trial goes on from where it was."""
        self.scheduler.promote(number)
        record = self.ledger.records[number]
        trial = self.paused[number] = self.paused.get(number) or self.context.trial_of(record)
        self.submit(trial.again(), record.attempt + 1, 1)
        self.proposer.tell(trial.view(self.context.space))
        self.start(number)

    def submit(self, trial: Trial, attempt: int, tries: int) -> None:
        """Begin an attempt at a trial: first in the run folder."""
        super().submit(trial, attempt, tries)
        self.ledger.start(trial)

    def start(self, number: int) -> None:
        """Start the job of a trial."""
        super().start(number)
        self.observer.launched(number, self.running[number].label)

    def what_next(self, trial: Trial, metrics: dict[str, Any]) -> Word:
        """Report an epoch to the Optuna study and to the pruner; baselines and the last epoch are never stopped."""
        self.observer.epoch(trial.number, metrics)
        epoch = int(metrics["epoch"])
        values = numbers(metrics, trial.costs, sum(each["seconds"] for each in trial.curve))
        self.live.report(trial.number, values[self.learned], epoch)
        if trial.repeat_of is not None or epoch >= self.context.config.training.epochs:
            return "go on"
        return self.scheduler.report(
            trial.number, epoch, losses(self.context.config.objectives, values), spared=trial.exempt
        )

    def ended(self, trial: Trial, payload: dict[str, Any]) -> None:
        """Record a trial with the result that its process left."""
        self.conclude(trial, self.ledger.ended(trial, payload))

    def failed(self, trial: Trial, reason: str) -> None:
        """Record a trial that left no result and is not begun again."""
        self.conclude(trial, self.ledger.failed(trial, reason))

    def conclude(self, trial: Trial, record: TrialRecord) -> None:
        """A trial has been recorded: report it to the strategy, queue its repeats, keep a paused one."""
        if record.state == "paused":
            self.paused[trial.number] = trial
            self.scheduler.hold(trial.number)
        elif record.state == "failed" and record.repeat_of is None:
            self.scheduler.drop(trial.number)
        if self.repeated_at_once(record):
            self.queue_repeats(record, trial)
        self.exhausted = False
        first = record if record.repeat_of is None else self.ledger.records[record.repeat_of]
        self.proposer.tell(self.context.observed(first, self.mean_losses(first)))

    def repeated_at_once(self, record: TrialRecord) -> bool:
        """Whether its repeats follow a trial, rather than come last and for the best alone."""
        return record.state == "complete" and record.repeat_of is None and self.context.config.repeat_top is None

    def queue_repeats(self, record: TrialRecord, trial: Trial | None = None, most: int | None = None) -> None:
        """The same architecture with the seeds that are still wanted (``most`` of them), where the study repeats."""
        config, begun = self.context.config, self.ledger.repeats[record.number]
        wanted = [seed for seed in range(config.seed + 1, config.seed + config.repeats) if seed not in begun]
        for seed in wanted[:most]:
            begun.add(seed)
            first = trial or self.context.trial_of(record)
            self.repeats.append(first.again(seed=seed, repeat_of=record.number))

    def mean_losses(self, record: TrialRecord) -> tuple[float, ...] | None:
        """The losses of a trial, averaged over its repeats."""
        again = sorted(self.ledger.again.get(record.number, ()))
        every = (record, *(self.ledger.records[number] for number in again))
        known = [objective_values(r) for r in every if r.state == record.state and r.state != "failed"]
        known = [values for values in known if values]
        if not known:
            return None
        names = self.context.config.objectives
        return losses(names, {name: sum(values[name] for values in known) / len(known) for name in names})

    def settled(self) -> bool:
        """Whether all is done: paused trials that could still go on are first let go on, the others given up."""
        if not self.closed:
            self.closed = True
            self.scheduler.close()
            return False
        if self.scheduler.promotable() is not None:
            return False
        for record in list(self.ledger.records.values()):
            if record.state == "paused":
                self.ledger.give_up(record)
        return not self.repeat_best()

    def repeat_best(self) -> bool:
        """Queue one repeat of each of the best networks so far that want any; whether there were any.

        One at a time: most of those that were lucky once are no longer among the best after the second training. The
        next best have theirs where processes would stand idle.
        """
        top = self.context.config.repeat_top or 0
        ranked = leaderboard(self.ledger.records.values(), len(self.ledger.records))
        want = [place for place, record in enumerate(ranked) if self.wants_repeats(record)]
        due = [place for place in want if place < top]
        for place in want[: max(len(due), self.executor.capacity)] if due else ():
            self.queue_repeats(self.ledger.records[ranked[place].number], most=1)
        return bool(self.repeats)

    def wants_repeats(self, record: TrialRecord) -> bool:
        """Whether seeds of it are left that were never begun."""
        return len(self.ledger.repeats[record.number]) < self.context.config.repeats - 1
