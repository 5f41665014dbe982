"""The loop: ask, run, record, tell. The run folder is the truth, Optuna the index."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.trial import Trial

from inception_search.space.space import Space
from inception_search.store.run_folder import RunFolder
from inception_search.study.candidate import UNFIT, Candidate
from inception_search.study.executor import BAD_DISK, Ended, Epoch, Executor
from inception_search.study.index import report
from inception_search.study.job import Job, attempts_begun, make_job
from inception_search.study.ledger import Ledger, clear, disk_failed
from inception_search.study.observer import Observer
from inception_search.study.point import Point, make_point
from inception_search.study.rescue import RESCUE_AFTER, rescue
from inception_search.study.setting import Setting

MAX_ATTEMPTS = 3  # of a trial whose process was lost; a wrong architecture is not retried
MAX_MISSES = 300  # points in a row that are duplicates or over the budget before the search gives up
_PATIENCE = 0.5  # seconds between looks at the stop flag


@dataclass
class Running:
    """A trial whose process is at work."""

    point: Point
    job: Job
    curve: list[dict[str, Any]] = field(default_factory=list)


class Driver:
    """Runs a study to its end, or until ``stop`` is set.

    ``unfinished`` are the trials an earlier driver asked for and did not record; they come first.
    """

    def __init__(
        self,
        run: RunFolder,
        space: Space,
        study: optuna.Study,
        setting: Setting,
        executor: Executor,
        observer: Observer,
        *,
        unfinished: Iterable[Trial] = (),
        stop: threading.Event | None = None,
    ) -> None:
        self.run_folder, self.space, self.study, self.setting = run, space, study, setting
        self.executor, self.observer = executor, observer
        self.stop = stop or threading.Event()
        self.budget = setting.config.budget(setting.device, setting.threads)
        self.ledger = Ledger(run, study, setting, observer)
        self.unfinished = deque(unfinished)
        self.results = run.read_results()  # of unfinished trials whose training was finished
        self.running: dict[int, Running] = {}
        self.misses = 0

    def loop(self) -> bool:
        """Train until the wanted number of trials is trained; False when stopped before.

        Trials that a stop ends are trained again when the study resumes.
        """
        self.observer.started(self.setting.config, self.run_folder.records())
        try:
            self.adopt()
            while not self.stop.is_set():
                ready = self.has_work()
                if ready:
                    self.advance(self.unfinished.popleft() if self.unfinished else self.study.ask())
                elif not self.running:
                    return True
                for event in self.executor.wait(0.0 if ready else _PATIENCE):
                    self.handle(event)
            return False
        finally:
            self.executor.cancel()
            if self.stop.is_set():
                self.forgive()

    def has_work(self) -> bool:
        """Whether a place is free and more trials are wanted."""
        if len(self.running) >= self.executor.capacity or self.misses > MAX_MISSES:
            return False
        if self.ledger.trained + len(self.running) >= self.setting.config.trials:
            return False
        if self.misses == MAX_MISSES:
            self.misses += 1
            self.observer.note(f"{MAX_MISSES} points in a row were known or not feasible: the search ends here")
            return False
        return True

    def adopt(self) -> None:
        """Record the trainings that an earlier driver had finished and did not record."""
        for trial in [trial for trial in self.unfinished if trial.number in self.results]:
            self.unfinished.remove(trial)
            self.advance(trial)

    def advance(self, trial: Trial) -> None:
        """Start a trial, or record why not."""
        point = make_point(trial, self.space, self.setting)
        candidate = point.candidate
        if candidate is None:
            self.miss(point, UNFIT, point.refused or "it gives no network")
            return
        first = self.ledger.seen.first(candidate.arch_id)
        over = candidate.violation(self.budget)
        if first is not None:
            self.misses += 1
            self.ledger.duplicate(point, first)
        elif over is not None:
            self.miss(point, *over)
        else:
            self.misses = 0
            self.go_on_with(point, candidate)

    def miss(self, point: Point, violation: float, reason: str) -> None:
        """A point that cannot be trained."""
        self.misses += 1
        self.ledger.infeasible(point, violation, reason)
        if self.misses % RESCUE_AFTER == 0:
            rescue(self.study, self.space, self.setting, self.budget, point.number)

    def go_on_with(self, point: Point, candidate: Candidate) -> None:
        """Train a point, unless an earlier driver has had that done, or has lost it too often."""
        result = self.results.pop(point.number, {})
        if result.get("arch_id") == candidate.arch_id:
            self.ledger.ended(point, result)
            return
        self.run_folder.clear_result(point.number)
        begun = attempts_begun(self.run_folder.job_file(point.number))
        if begun < MAX_ATTEMPTS:
            self.submit(point, candidate, begun + 1)
        else:
            reason = f"it was begun {begun} times, and each time its process was lost"
            self.ledger.failed(point, reason, attempt=begun)

    def submit(self, point: Point, candidate: Candidate, attempt: int) -> None:
        """Make the job durable, then start it."""
        number, fresh = point.number, Point(point.trial, candidate)
        job = make_job(number, candidate, attempt, fresh.started, self.setting, self.run_folder)
        job_file = self.run_folder.job_file(number)
        job.write(job_file)
        self.ledger.seen.start(candidate.arch_id, number)
        self.running[number] = Running(fresh, job)
        self.executor.submit(number, job_file)
        self.observer.launched(number, point.label)

    def handle(self, event: Epoch | Ended) -> None:
        """React to what a trial did."""
        running = self.running[event.number]
        if isinstance(event, Epoch):
            self.observer.epoch(event.number, event.metrics)
            running.curve.append(event.metrics)
            self.executor.answer(event.number, self.goes_on(running, event.metrics))
        elif event.exit_code == BAD_DISK:
            raise disk_failed(event.number, self.run_folder)
        else:
            del self.running[event.number]
            self.conclude(running, event)

    def conclude(self, running: Running, event: Ended) -> None:
        """Record a trial whose process is gone, or start it again."""
        number, attempt, point = event.number, running.job.attempt, running.point
        payload = self.run_folder.read_results().get(number)
        facts = {"attempt": attempt, "curve": running.curve, "fidelity": running.job.fidelity}
        if payload is not None:
            self.ledger.ended(point, payload, **facts)
        elif event.late:
            limit = self.setting.config.trial_seconds
            self.ledger.failed(point, f"it ran longer than the limit of {limit:g} s", **facts)
        elif attempt >= MAX_ATTEMPTS or point.candidate is None:
            reason = f"its process was lost {attempt} times, last with exit code {event.exit_code}"
            self.ledger.failed(point, reason, **facts)
        else:
            self.observer.note(f"trial {number} lost its process (exit code {event.exit_code}); it runs again")
            self.submit(point, point.candidate, attempt + 1)

    def goes_on(self, running: Running, metrics: dict[str, Any]) -> bool:
        """Report an epoch to the pruner; baselines and the last epoch are never stopped."""
        epoch, trial = int(metrics["epoch"]), running.point.trial
        report(trial, float(metrics["validation_accuracy"]), epoch)
        last = epoch >= self.setting.config.epochs
        return last or running.point.label is not None or not trial.should_prune()

    def forgive(self) -> None:
        """A stop in order is no fault of the trials it ended: their attempts do not count."""
        waiting = self.run_folder.read_results()
        for number in self.running:
            if number not in waiting:
                clear(self.run_folder, number)
