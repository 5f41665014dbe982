"""The loop of a search: propose, train, record, report; the run folder is the source of everything else."""

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

_FLUSH = 5.0  # seconds to wait at the end for a storage that does not respond


class Driver(TrialLoop):
    """Runs a study to its end, or until ``stop`` is set.

    ``unfinished`` are the trials that an earlier driver began but did not record; they come first.
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
        """Paused trials that this driver has created."""
        known = (*ledger.records, *(trial.number for trial in self.unfinished), len(self.live) - 1)
        self.number = max(known) + 1
        self.learned = next(name for name in self.context.config.objectives if not OBJECTIVES[name].beforehand)
        self.exhausted = self.closed = False
        self.live.records, self.live.running = ledger.records, self.under_way

    def loop(self) -> bool:
        """Train until the requested number of trials is reached; False if stopped earlier."""
        self.observer.started(self.context.config, list(self.ledger.records.values()))
        try:
            return super().loop()
        finally:
            if not self.live.flush(0.0 if self.stop.is_set() else _FLUSH):
                self.note("the Optuna storage is not up to date; resuming the study brings it up to date")

    def under_way(self) -> Running:
        """Parameters and attributes of the trials that have begun but are not recorded, by number."""
        begun = [*self.unfinished, *self.running.values()]
        return {trial.number: (trial.params, trial.attributes) for trial in begun}

    def adopt(self) -> None:
        """Record trials that an earlier driver finished, tell the strategy of unfinished ones, and queue repeats."""
        for trial in self.unfinished:
            self.ledger.start(trial)
        super().adopt()
        for trial in self.unfinished:
            self.proposer.tell(trial.view(self.context.space))
        for record in list(self.ledger.records.values()):
            if self.repeats_follow(record):
                self.queue_repeats(record)

    def begin_another(self) -> bool:
        """Continue a paused trial, or begin a repeat or a new one; return whether anything was begun."""
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
        """Begin the next proposal, if a feasible one is found."""
        proposal = self.proposer.next(self.number)
        if proposal is None:
            if not self.running:  # a running trial may lead the strategy to new points
                self.exhausted = True
                self.note("no further new and feasible point was found: the search ends")
            return False
        return self.consider(proposal)

    def consider(self, proposal: Proposal) -> bool:
        """Begin a proposal; an infeasible one (such as a canonical module) is recorded with the reason."""
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
        """Begin a new trial: write it to the run folder, then to the Optuna study, then start it."""
        trial.number, self.number = self.number, self.number + 1
        self.submit(trial, 1, 1)
        self.live.begin(trial.number, trial.params, trial.attributes)
        self.proposer.tell(trial.view(self.context.space))
        self.start(trial.number)
        return True

    def promote(self, number: int) -> None:
        """Continue a paused trial from its last epoch."""
        self.scheduler.promote(number)
        record = self.ledger.records[number]
        trial = self.paused[number] = self.paused.get(number) or self.context.trial_of(record)
        self.submit(trial.again(), record.attempt + 1, 1)
        self.proposer.tell(trial.view(self.context.space))
        self.start(number)

    def submit(self, trial: Trial, attempt: int, tries: int) -> None:
        """Write an attempt at a trial to the run folder."""
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

    def record_result(self, trial: Trial, payload: dict[str, Any]) -> None:
        """Record a trial with the result that its process left."""
        self.conclude(trial, self.ledger.record_result(trial, payload))

    def record_failure(self, trial: Trial, reason: str) -> None:
        """Record a trial that left no result and is not restarted."""
        self.conclude(trial, self.ledger.record_failure(trial, reason))

    def conclude(self, trial: Trial, record: TrialRecord) -> None:
        """Report a recorded trial to the strategy, queue its repeats, and keep it if it is paused."""
        if record.state == "paused":
            self.paused[trial.number] = trial
            self.scheduler.hold(trial.number)
        elif record.state == "failed" and record.repeat_of is None:
            self.scheduler.drop(trial.number)
        if self.repeats_follow(record):
            self.queue_repeats(record, trial)
        self.exhausted = False
        first = record if record.repeat_of is None else self.ledger.records[record.repeat_of]
        self.proposer.tell(self.context.observed(first, self.mean_losses(first)))

    def repeats_follow(self, record: TrialRecord) -> bool:
        """Whether the repeats of a trial follow it directly; otherwise only the best are repeated, at the end."""
        return record.state == "complete" and record.repeat_of is None and self.context.config.repeat_top is None

    def queue_repeats(self, record: TrialRecord, trial: Trial | None = None, most: int | None = None) -> None:
        """Queue the architecture with the seeds that are still missing (at most ``most``), if the study repeats."""
        config, begun = self.context.config, self.ledger.repeats[record.number]
        missing = [seed for seed in range(config.seed + 1, config.seed + config.repeats) if seed not in begun]
        for seed in missing[:most]:
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

    def try_to_finish(self) -> bool:
        """Whether everything is done: the best paused trials continue first, the others are then given up."""
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
        """Queue one repeat for each of the best networks that need some; return whether there were any.

        Only one at a time, because most networks with a lucky first training drop out of the best after the second one.
        If processes would be idle, the next best networks are repeated too.
        """
        top = self.context.config.repeat_top or 0
        ranked = leaderboard(self.ledger.records.values(), len(self.ledger.records))
        want = [place for place, record in enumerate(ranked) if self.wants_repeats(record)]
        due = [place for place in want if place < top]
        for place in want[: max(len(due), self.executor.capacity)] if due else ():
            self.queue_repeats(self.ledger.records[ranked[place].number], most=1)
        return bool(self.repeats)

    def wants_repeats(self, record: TrialRecord) -> bool:
        """Whether some of its seeds have not been started."""
        return len(self.ledger.repeats[record.number]) < self.context.config.repeats - 1
