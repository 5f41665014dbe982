"""The loop of a search: propose, train, record, report. What the run folder says counts; all else follows from it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from typing import Any

from inception_search.errors import TrainingError
from inception_search.optuna_bridge.live_study import LiveStudy, Running
from inception_search.runner.executor import BAD_DISK, Ended, Epoch, Executor, Word
from inception_search.runner.gpu_concurrency import Packing
from inception_search.spec.identity.arch_id import known_ids
from inception_search.store.objectives import OBJECTIVES, losses, numbers, told
from inception_search.store.query import leaderboard
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.strategies.protocol import Proposal
from inception_search.study.context import StudyContext
from inception_search.study.ledger import Ledger, disk_failed
from inception_search.study.observer import Observer
from inception_search.study.pruners import Scheduler
from inception_search.study.queue import Proposer
from inception_search.study.trial import Trial

MAX_BEGUN = 1000  # attempts of one trial over all sessions; more than any series of kills of the search itself
_PATIENCE = 0.5  # seconds between looks at the stop flag
_FLUSH = 5.0  # seconds that a storage which does not answer is waited for at the end


class Driver:
    """Runs a study to its end, or until ``stop`` is set.

    ``unfinished`` are the trials that an earlier driver began and did not record; they come first.
    """

    def __init__(
        self,
        run: RunFolder,
        context: StudyContext,
        ledger: Ledger,
        live: LiveStudy,
        proposer: Proposer,
        scheduler: Scheduler,
        executor: Executor,
        observer: Observer,
        unfinished: Iterable[Trial] = (),
        stop: threading.Event | None = None,
        packing: Packing | None = None,
    ) -> None:
        self.run_folder, self.context, self.ledger, self.live = run, context, ledger, live
        self.proposer, self.scheduler, self.executor, self.observer = proposer, scheduler, executor, observer
        self.stop, self.packing = stop or threading.Event(), packing
        self.unfinished = deque(unfinished)
        self.repeats: deque[Trial] = deque()
        self.running: dict[int, Trial] = {}
        self.waiting: deque[int] = deque()
        """Those of them whose process was lost, and that begin again where a place is free."""
        self.paused: dict[int, Trial] = {}
        """Paused trials, as far as this driver has made them."""
        self.late: set[int] = set()
        """Trials that exceeded their time limit once and continue."""
        known = (*ledger.records, *(trial.number for trial in self.unfinished), len(live) - 1)
        self.number = max(known) + 1
        self.learned = next(name for name in context.config.objectives if not OBJECTIVES[name].beforehand)
        self.exhausted = self.closed = False
        live.records, live.running = ledger.records, self.under_way

    def loop(self) -> bool:
        """Train until the wanted number of trials is trained; False when stopped before.

        Trials that a stop ends go on from their last epoch when the study resumes.
        """
        self.observer.started(self.context.config, list(self.ledger.records.values()))
        try:
            self.adopt()
            while not self.stop.is_set():
                launched = self.launch()
                if not launched and not self.running and self.settled():
                    return True
                for event in self.executor.wait(0.0 if launched else _PATIENCE):
                    self.handle(event)
            return False
        finally:
            self.executor.cancel()
            if not self.live.flush(0.0 if self.stop.is_set() else _FLUSH):
                self.observer.note("the Optuna storage is not up to date; resuming the study brings it up to date")

    def under_way(self) -> Running:
        """Parameters and attributes of the trials that are begun and not recorded, by number."""
        begun = [*self.unfinished, *self.running.values()]
        return {trial.number: (trial.params, trial.attributes) for trial in begun}

    def adopt(self) -> None:
        """Record the trainings that an earlier driver had finished and did not record; the others wait their turn."""
        results = self.run_folder.read_results()
        left: deque[Trial] = deque()
        for trial in self.unfinished:
            self.ledger.start(trial)
            payload = results.get(trial.number, {})
            if payload.get("arch_id") in known_ids(trial.network):
                self.conclude(trial, self.ledger.ended(trial, payload))
            else:
                self.run_folder.clear_result(trial.number)
                self.proposer.tell(trial.view(self.context.space))
                left.append(trial)
        self.unfinished = left
        for record in list(self.ledger.records.values()):
            if self.repeated_at_once(record):
                self.queue_repeats(record)

    def launch(self) -> bool:
        """Start what comes next where a place is free; whether anything was started."""
        if len(self.running) - len(self.waiting) >= self.executor.capacity:
            return False
        if self.waiting:
            self.start(self.waiting.popleft())
            return True
        if self.unfinished:
            self.go_on(self.unfinished.popleft())
            return True
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
                self.observer.note("no more points that are new and can be trained were found: the search ends here")
            return False
        return self.consider(proposal)

    def consider(self, proposal: Proposal) -> bool:
        """Begin a proposal; one that cannot be trained (a canonical module, say) is recorded with the reason."""
        candidate = self.proposer.screen(proposal.params)
        if candidate.network is None:
            self.observer.note(f"{proposal.label or 'a point'} gives no network: {candidate.reason}")
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

    def go_on(self, trial: Trial) -> None:
        """Begin again a trial that an earlier driver left under way; that is no fault of the trial."""
        if trial.attempt >= MAX_BEGUN:
            reason = f"it was begun {trial.attempt} times, and each time its process was lost"
            self.conclude(trial, self.ledger.failed(trial, reason, attempt=trial.attempt))
            return
        self.submit(trial.again(), trial.attempt + 1, trial.tries)
        self.start(trial.number)

    def promote(self, number: int) -> None:
        """A paused trial goes on from where it was."""
        self.scheduler.promote(number)
        record = self.ledger.records[number]
        trial = self.paused[number] = self.paused.get(number) or self.context.trial_of(record)
        self.submit(trial.again(), record.attempt + 1, 1)
        self.proposer.tell(trial.view(self.context.space))
        self.start(number)

    def submit(self, trial: Trial, attempt: int, tries: int) -> None:
        """Begin an attempt at a trial by writing its job: from then on it survives a kill of the search."""
        trial.attempt, trial.tries, trial.curve = attempt, tries, []
        self.context.job_of(trial, self.run_folder).write(self.run_folder.job_file(trial.number))
        self.ledger.start(trial)
        self.running[trial.number] = trial

    def start(self, number: int) -> None:
        """Start the job of a trial."""
        self.executor.submit(number, self.run_folder.job_file(number))
        self.observer.launched(number, self.running[number].label)

    def handle(self, event: Epoch | Ended) -> None:
        """React to what a trial did."""
        trial = self.running[event.number]
        if isinstance(event, Epoch):
            self.observer.epoch(event.number, event.metrics)
            trial.curve.append(event.metrics)
            self.executor.answer(event.number, self.what_next(trial, event.metrics))
        elif event.exit_code == BAD_DISK:
            raise disk_failed(event.number, self.run_folder)
        else:
            del self.running[event.number]
            self.end(trial, event)

    def what_next(self, trial: Trial, metrics: dict[str, Any]) -> Word:
        """Report an epoch to the Optuna study and to the pruner; baselines and the last epoch are never stopped."""
        epoch = int(metrics["epoch"])
        values = numbers(metrics, trial.costs, sum(each["seconds"] for each in trial.curve))
        self.live.report(trial.number, values[self.learned], epoch)
        if trial.repeat_of is not None or epoch >= self.context.config.training.epochs:
            return "go on"
        return self.scheduler.report(
            trial.number, epoch, losses(self.context.config.objectives, values), spared=trial.exempt
        )

    def end(self, trial: Trial, event: Ended) -> None:
        """Record a trial whose process is gone, or start it again from its last epoch."""
        number, config = event.number, self.context.config
        payload = self.run_folder.read_results().get(number)
        facts = {"attempt": trial.attempt, "curve": trial.curve, "fidelity": config.fidelity(self.context.threads)}
        if payload is not None and self.too_crowded(payload):
            self.run_folder.clear_result(number)
            self.observer.note(f"trial {number} ran out of memory beside others; it runs again, with fewer at a time")
            self.submit(trial, trial.attempt + 1, trial.tries)
            self.waiting.append(number)
        elif payload is not None:
            self.conclude(trial, self.ledger.ended(trial, payload, **facts))
        elif self.stop.is_set():
            return  # what ends the search may end its trials, too: its job is there for whoever resumes
        elif event.handed_back:
            where = "from its last epoch" if trial.advanced else "from where it was"
            self.observer.note(f"trial {number} was handed back by a worker that leaves; it goes on elsewhere {where}")
            self.submit(trial, trial.attempt + 1, trial.tries)
            self.waiting.append(number)
        elif not event.began and not event.late:
            self.observer.note(f"the process of trial {number} ended before it began; it is started again")
            self.submit(trial, trial.attempt, trial.tries)  # it was no attempt
            self.waiting.append(number)
        elif event.late and number in self.late:
            limit = config.trial_seconds
            self.conclude(trial, self.ledger.failed(trial, f"it ran longer than the limit of {limit:g} s", **facts))
        elif not trial.advanced and trial.tries >= config.retries:
            reason = f"its process was lost {trial.tries} times in a row, last with exit code {event.exit_code}"
            self.conclude(trial, self.ledger.failed(trial, reason, **facts))
        else:
            self.late |= {number} if event.late else set()
            why = "ran out of time" if event.late else f"lost its process (exit code {event.exit_code})"
            self.observer.note(f"trial {number} {why}; it runs again")
            self.submit(trial, trial.attempt + 1, 1 if trial.advanced else trial.tries + 1)
            self.waiting.append(number)

    def too_crowded(self, payload: dict[str, Any]) -> bool:
        """Report to the packing what a trial used; whether it ran out of memory because others share its GPU."""
        if self.packing is None:
            return False
        if str(payload.get("reason", "")).startswith(TrainingError.OUT_OF_MEMORY):
            return self.packing.out_of_memory()
        used, seconds = payload.get("resources", {}), payload.get("seconds", 0.0)
        self.packing.finished(used.get("images_per_second", 0.0) * seconds, used.get("peak_bytes", 0.0))
        return False

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
        known = [told(r) for r in every if r.state == record.state and r.state != "failed"]
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
