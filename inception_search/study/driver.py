"""The loop: ask, run, record, tell. The run folder is the truth, Optuna the index."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import Trial, TrialState

from inception_search.errors import InceptionSearchError
from inception_search.space.space import Space
from inception_search.store.record import TrialRecord, utc_now
from inception_search.store.run_folder import RunFolder
from inception_search.study.candidate import Budget, Candidate, make_candidate
from inception_search.study.config import StudyConfig
from inception_search.study.dedupe import TRAINED, Seen
from inception_search.study.executor import Ended, Epoch, Executor
from inception_search.study.index import tell
from inception_search.study.job import Job
from inception_search.study.observer import Observer
from inception_search.study.versions import versions

MAX_ATTEMPTS = 3  # of a trial whose process was lost; a wrong architecture is not retried
MAX_MISSES = 300  # points in a row that are duplicates or over the budget before the search gives up
_PATIENCE = 0.5  # seconds between looks at the stop flag


@dataclass(frozen=True)
class Setting:
    """What all trials of a study share."""

    config: StudyConfig
    data_file: Path
    shape: tuple[int, int, int]
    classes: int
    data: dict[str, Any]
    device: str
    threads: int | None


@dataclass
class Running:
    """A trial whose process is at work."""

    trial: Trial
    candidate: Candidate
    label: str | None
    job: Job
    job_file: Path
    begun: float = field(default_factory=time.monotonic)
    started: str = field(default_factory=utc_now)
    pruned_at: int | None = None


class Driver:
    """Runs a study to its end, or to :meth:`stop`."""

    def __init__(
        self,
        run: RunFolder,
        space: Space,
        study: optuna.Study,
        setting: Setting,
        executor: Executor,
        observer: Observer,
    ) -> None:
        self.run_folder, self.space, self.study, self.setting = run, space, study, setting
        self.executor, self.observer = executor, observer
        self.budget = Budget(setting.config.max_macs, setting.config.max_params)
        records = run.records()
        self.seen = Seen(records)
        self.trained = sum(record.state in TRAINED for record in records)
        self.running: dict[int, Running] = {}
        self.misses = 0
        self.stopping = False

    def stop(self) -> None:
        """Ask the loop to end; running trials are ended and trained again when the study resumes."""
        self.stopping = True

    def loop(self) -> bool:
        """Train until the wanted number of trials is trained; False when stopped before."""
        self.observer.started(self.setting.config.trials, self.trained)
        try:
            while not self.stopping:
                self.fill()
                if not self.running:
                    return True
                for event in self.executor.wait(_PATIENCE):
                    self.handle(event)
            return False
        finally:
            self.executor.cancel()

    def fill(self) -> None:
        """Start trials until every place is taken, or enough are trained or under way."""
        while not self.stopping and len(self.running) < self.executor.capacity:
            if self.trained + len(self.running) >= self.setting.config.trials:
                return
            if self.misses >= MAX_MISSES:
                self.observer.note(
                    f"{MAX_MISSES} points in a row were known already or over the budget: the search ends here"
                )
                return
            self.ask()

    def ask(self) -> None:
        """Ask for one point; start it, or record why not."""
        trial = self.study.ask()
        label = trial.user_attrs.get("label")
        started = time.monotonic()
        try:
            network, holes = self.space.suggest(trial)
            candidate = make_candidate(network, holes, self.setting.shape, self.setting.classes)
        except InceptionSearchError as error:
            self.infeasible(trial, label, 1.0, str(error), started)
            return
        over = self.budget.violation(candidate.cost)
        first = self.seen.first(candidate.arch_id)
        if first is not None:
            self.duplicate(trial, label, candidate, first, started)
        elif over is not None:
            self.infeasible(trial, label, *over, started, candidate)
        else:
            self.misses = 0
            self.submit(trial, label, candidate, int(trial.user_attrs.get("attempt", 1)))

    def submit(self, trial: Trial, label: str | None, candidate: Candidate, attempt: int) -> None:
        """Make the job durable, then start it."""
        number, run, setting = trial.number, self.run_folder, self.setting
        job = Job(
            number=number,
            attempt=attempt,
            network=candidate.network.to_dict(),
            data=str(setting.data_file),
            fidelity=setting.config.fidelity(setting.threads),
            seed=setting.config.seed,
            device=setting.device,
            result=str(run.result_file(number)),
            checkpoint=str(run.checkpoint_file(number)),
        )
        job.write(run.job_file(number))
        self.seen.start(candidate.arch_id, number)
        self.running[number] = Running(trial, candidate, label, job, run.job_file(number))
        self.executor.submit(number, run.job_file(number))
        self.observer.launched(number, label)

    def handle(self, event: Epoch | Ended) -> None:
        """React to what a trial did."""
        running = self.running[event.number]
        if isinstance(event, Epoch):
            self.observer.epoch(event.number, event.metrics)
            self.executor.answer(event.number, self.goes_on(running, event.metrics))
            return
        payload = self.run_folder.read_results().get(event.number)
        if payload is not None:
            self.finish(running, payload)
        elif event.late:
            limit = self.setting.config.trial_seconds
            self.finish(running, {"state": "failed", "reason": f"it ran longer than the limit of {limit:g} s"})
        elif running.job.attempt < MAX_ATTEMPTS:
            self.observer.note(f"trial {event.number} lost its process (exit code {event.exit_code}); it runs again")
            del self.running[event.number]
            self.submit(running.trial, running.label, running.candidate, running.job.attempt + 1)
        else:
            reason = f"its process was lost {MAX_ATTEMPTS} times, last with exit code {event.exit_code}"
            self.finish(running, {"state": "failed", "reason": reason})

    def goes_on(self, running: Running, metrics: dict[str, Any]) -> bool:
        """Report an epoch to the pruner; baselines are never stopped."""
        epoch = int(metrics["epoch"])
        running.trial.report(float(metrics["validation_accuracy"]), epoch)
        if running.label is not None or not running.trial.should_prune():
            return True
        running.pruned_at = epoch
        return False

    def finish(self, running: Running, payload: dict[str, Any]) -> None:
        """Record a trial that ended, then tell it."""
        del self.running[running.trial.number]
        record = self.record(
            running.trial,
            running.label,
            running.candidate,
            state=payload["state"],
            value=payload.get("value") if payload["state"] == "complete" else None,
            curve=payload.get("curve", ()),
            reason=payload.get("reason") or _pruned(running.pruned_at),
            attempt=running.job.attempt,
            device=payload.get("device", self.setting.device),
            seconds=payload.get("seconds", time.monotonic() - running.begun),
            started=running.started,
            fidelity=payload.get("fidelity", running.job.fidelity),
        )
        self.settle(record)
        running.job_file.unlink(missing_ok=True)

    def infeasible(
        self,
        trial: Trial,
        label: str | None,
        violation: float,
        reason: str,
        started: float,
        candidate: Candidate | None = None,
    ) -> None:
        """Record a point that is not trained, and tell the sampler how far outside it is."""
        self.misses += 1
        trial.set_constraint("feasible", violation)
        seconds = time.monotonic() - started
        self.settle(self.record(trial, label, candidate, state="infeasible", reason=reason, seconds=seconds))

    def duplicate(self, trial: Trial, label: str | None, candidate: Candidate, first: int, started: float) -> None:
        """Record a point whose architecture is known; it is told the known value."""
        self.misses += 1
        seconds = time.monotonic() - started
        self.settle(self.record(trial, label, candidate, state="duplicate", duplicate_of=first, seconds=seconds))

    def settle(self, record: TrialRecord) -> None:
        """Record first, tell second, then forget the result file."""
        self.run_folder.append_record(record)
        self.seen.add(record)
        self.trained += record.state in TRAINED
        tell_record(self.study, record, self.seen)
        self.run_folder.clear_result(record.number)
        self.observer.recorded(record)

    def record(self, trial: Trial, label: str | None, candidate: Candidate | None, **facts: Any) -> TrialRecord:
        """The record of a trial with what all records share."""
        setting = self.setting
        if candidate is not None:
            facts["arch_id"] = candidate.arch_id
            facts["network"] = candidate.network.to_dict()
            facts["cost"] = candidate.cost.to_dict()
        shared = {
            "number": trial.number,
            "origin": "baseline" if label else "sampled",
            "label": label,
            "holes": candidate.holes if candidate else dict(trial.params),
            "seed": setting.config.seed,
            "started": utc_now(),
            "data": setting.data,
            "versions": versions(),
        }
        return TrialRecord.model_validate(shared | facts)


def tell_record(study: optuna.Study, record: TrialRecord, seen: Seen) -> None:
    """Tell what a record says; what has been told stays as it was."""
    if record.state == "complete":
        tell(study, record.number, record.value, TrialState.COMPLETE)
    elif record.state == "duplicate" and record.arch_id in seen.values:
        tell(study, record.number, seen.values[record.arch_id], TrialState.COMPLETE)
    elif record.state in ("pruned", "infeasible"):
        tell(study, record.number, None, TrialState.PRUNED)
    else:
        tell(study, record.number, None, TrialState.FAIL)


def _pruned(epoch: int | None) -> str | None:
    return None if epoch is None else f"below the median of earlier trials at epoch {epoch}"
