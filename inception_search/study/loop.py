"""The loop: ask, run, record, tell. The run folder is the truth; index and strategy are told what it says."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from inception_search.optuna_bridge.index import Asked, Index, attributes
from inception_search.runner.executor import BAD_DISK, Ended, Epoch, Executor, Word
from inception_search.runner.gpu_concurrency import Packing
from inception_search.runner.job import Job
from inception_search.spec.identity import known_ids
from inception_search.store.objectives import OBJECTIVES, losses, numbers, told
from inception_search.store.query import leaderboard
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.strategies.protocol import Observation, State
from inception_search.study.ledger import Ledger, disk_failed
from inception_search.study.observer import Observer
from inception_search.study.point import Point
from inception_search.study.pruners import Scheduler
from inception_search.study.queue import Proposer, Wanted
from inception_search.study.setting import Setting

MAX_BEGUN = 100  # attempts of one trial over all sessions; more than any series of kills of the search itself
_PATIENCE = 0.5  # seconds between looks at the stop flag
OUT_OF_MEMORY = "out of memory"  # how the reason of such a failure begins
_FLUSH = 5.0  # seconds an index that does not answer is waited for at the end


@dataclass
class Running:
    """A trial whose process is at work."""

    point: Point
    job: Job
    curve: list[dict[str, Any]] = field(default_factory=list)

    @property
    def came_on(self) -> bool:
        """Whether this attempt finished an epoch; a later one begins by reporting the last of the one before again."""
        return len(self.curve) > (self.job.attempt > 1)


class Driver:
    """Runs a study to its end, or until ``stop`` is set.

    ``unfinished`` are the points an earlier driver asked for and did not record, with their jobs; they come first.
    """

    def __init__(
        self,
        run: RunFolder,
        setting: Setting,
        ledger: Ledger,
        index: Index,
        proposer: Proposer,
        scheduler: Scheduler,
        executor: Executor,
        observer: Observer,
        *,
        unfinished: Iterable[tuple[Point, Job | None]] = (),
        stop: threading.Event | None = None,
        packing: Packing | None = None,
    ) -> None:
        self.run_folder, self.setting, self.ledger, self.index = run, setting, ledger, index
        self.proposer, self.scheduler, self.executor, self.observer = proposer, scheduler, executor, observer
        self.stop, self.packing = stop or threading.Event(), packing
        self.unfinished = deque(unfinished)
        self.repeats: deque[Point] = deque()
        self.running: dict[int, Running] = {}
        self.waiting: deque[int] = deque()
        """Those of them whose process was lost, and that begin again where a place is free."""
        self.points: dict[int, Point] = {}
        """Points of paused trials, as far as this driver has made them."""
        self.late: set[int] = set()
        """Trials that exceeded their time limit once and continue."""
        known = (*ledger.records, *(point.number for point, _ in self.unfinished), len(index) - 1)
        self.number = max(known) + 1
        self.learned = next(name for name in setting.config.objectives if not OBJECTIVES[name].beforehand)
        self.exhausted = self.closed = False

    def loop(self) -> bool:
        """Train until the wanted number of trials is trained; False when stopped before.

        Trials that a stop ends go on from their last epoch when the study resumes.
        """
        self.observer.started(self.setting.config, list(self.ledger.records.values()))
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
            if left := self.index.flush(0.0 if self.stop.is_set() else _FLUSH):
                self.observer.note(f"the index has not been told {left} things; resume the study to tell it")

    def adopt(self) -> None:
        """Record the trainings that an earlier driver had finished and did not record; the others wait their turn."""
        results = self.run_folder.read_results()
        left: deque[tuple[Point, Job | None]] = deque()
        for point, job in self.unfinished:
            self.ledger.start(point)
            payload = results.get(point.number, {})
            if payload.get("arch_id") in known_ids(point.candidate.network):
                self.conclude(point, self.ledger.ended(point, payload))
            else:
                self.run_folder.clear_result(point.number)
                self.proposer.tell(self.observation(point))
                left.append((point, job))
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
            self.go_on(*self.unfinished.popleft())
            return True
        paused = self.scheduler.promotable()
        if paused is not None:
            self.promote(paused)
            return True
        if self.repeats:
            return self.begin(self.repeats.popleft())
        if len(self.ledger.begun) >= self.setting.config.trials or self.exhausted:
            return False
        return self.ask()

    def ask(self) -> bool:
        """Begin the next point, if anybody knows one that can be trained."""
        wanted = self.proposer.next(self.number)
        if wanted is None:
            if not self.running:  # what is running may give the strategy new places to look
                self.exhausted = True
                self.observer.note("no more points that are new and can be trained were found: the search ends here")
            return False
        return self.consider(wanted)

    def consider(self, wanted: Wanted) -> bool:
        """Begin a wanted point; one that was asked for by name and cannot be trained is recorded with the reason."""
        screened, candidate = self.proposer.screen.looked_at(wanted.params)
        if candidate is None:
            self.observer.note(f"{wanted.label or 'a point'} gives no network: {screened.reason}")
            return True
        seed = self.setting.config.seed
        point = Point(self.number, candidate, wanted.origin, wanted.label, wanted.facts, seed)
        if screened.fresh:
            return self.begin(point)
        self.number += 1
        if screened.trial is not None:
            self.ledger.duplicate(point, screened.trial)
        else:
            self.ledger.infeasible(point, screened.reason or "it cannot be trained")
        return True

    def begin(self, point: Point) -> bool:
        """A new trial: durable in the run folder first, then in the index, then at work."""
        point.number, self.number = self.number, self.number + 1
        self.submit(point, 1, 1)
        self.index.begin(asked(point))
        self.proposer.tell(self.observation(point))
        self.start(point.number)
        return True

    def go_on(self, point: Point, job: Job | None) -> None:
        """Begin again a trial that an earlier driver left under way; that is no fault of the trial."""
        attempt, tries = (job.attempt, job.tries) if job else (0, 1)
        if attempt >= MAX_BEGUN:
            reason = f"it was begun {attempt} times, and each time its process was lost"
            self.conclude(point, self.ledger.failed(point, reason, attempt=attempt))
            return
        self.submit(point.again(), attempt + 1, tries)
        self.start(point.number)

    def promote(self, number: int) -> None:
        """A paused trial goes on from where it was."""
        self.scheduler.promote(number)
        point = self.points.get(number)
        if point is None:
            point = self.points[number] = self.setting.point_of(self.ledger.records[number])
        self.submit(point.again(), self.ledger.records[number].attempt + 1, 1)
        self.proposer.tell(self.observation(point))
        self.start(number)

    def submit(self, point: Point, attempt: int, tries: int) -> None:
        """Make the job durable."""
        job = self.setting.job_of(point, attempt, tries, self.run_folder)
        job.write(self.run_folder.job_file(point.number))
        self.ledger.start(point)
        self.running[point.number] = Running(point, job)

    def start(self, number: int) -> None:
        """Start the job of a trial."""
        self.executor.submit(number, self.run_folder.job_file(number))
        self.observer.launched(number, self.running[number].point.label)

    def handle(self, event: Epoch | Ended) -> None:
        """React to what a trial did."""
        running = self.running[event.number]
        if isinstance(event, Epoch):
            self.observer.epoch(event.number, event.metrics)
            running.curve.append(event.metrics)
            self.executor.answer(event.number, self.what_next(running, event.metrics))
        elif event.exit_code == BAD_DISK:
            raise disk_failed(event.number, self.run_folder)
        else:
            del self.running[event.number]
            self.end(running, event)

    def what_next(self, running: Running, metrics: dict[str, Any]) -> Word:
        """Report an epoch to the index and to the pruner; baselines and the last epoch are never stopped."""
        epoch, point = int(metrics["epoch"]), running.point
        values = self.values(point, metrics, running.curve)
        self.index.report(point.number, values[self.learned], epoch)
        if point.repeat_of is not None or epoch >= self.setting.config.epochs:
            return "go on"
        return self.scheduler.report(
            point.number, epoch, losses(self.setting.config.objectives, values), spared=point.spared
        )

    def values(self, point: Point, metrics: dict[str, Any], curve: list[dict[str, Any]]) -> dict[str, float]:
        """The objectives after an epoch."""
        return numbers(metrics, self.ledger.costs(point), sum(epoch["seconds"] for epoch in curve))

    def end(self, running: Running, event: Ended) -> None:
        """Record a trial whose process is gone, or start it again from its last epoch."""
        number, job, point = event.number, running.job, running.point
        payload = self.run_folder.read_results().get(number)
        facts = {"attempt": job.attempt, "curve": running.curve, "fidelity": job.fidelity}
        if payload is not None and self.too_crowded(payload):
            self.run_folder.clear_result(number)
            self.observer.note(f"trial {number} ran out of memory beside others; it runs again, with fewer at a time")
            self.submit(point, job.attempt + 1, job.tries)
            self.waiting.append(number)
        elif payload is not None:
            self.conclude(point, self.ledger.ended(point, payload, **facts))
        elif self.stop.is_set():
            return  # what ends the search may end its trials, too: its job is there for whoever resumes
        elif event.handed_back:
            where = "from its last epoch" if running.came_on else "from where it was"
            self.observer.note(f"trial {number} was handed back by a worker that leaves; it goes on elsewhere {where}")
            self.submit(point, job.attempt + 1, job.tries)
            self.waiting.append(number)
        elif not event.began and not event.late:
            self.observer.note(f"the process of trial {number} ended before it began; it is started again")
            self.submit(point, job.attempt + 1, job.tries)
            self.waiting.append(number)
        elif event.late and number in self.late:
            limit = self.setting.config.trial_seconds
            self.conclude(point, self.ledger.failed(point, f"it ran longer than the limit of {limit:g} s", **facts))
        elif not running.came_on and job.tries >= self.setting.config.retries:
            reason = f"its process was lost {job.tries} times in a row, last with exit code {event.exit_code}"
            self.conclude(point, self.ledger.failed(point, reason, **facts))
        else:
            self.late |= {number} if event.late else set()
            why = "ran out of time" if event.late else f"lost its process (exit code {event.exit_code})"
            self.observer.note(f"trial {number} {why}; it runs again")
            self.submit(point, job.attempt + 1, 1 if running.came_on else job.tries + 1)
            self.waiting.append(number)

    def too_crowded(self, payload: dict[str, Any]) -> bool:
        """Tell the packing what a trial used; whether it ran out of memory because others were on the same card."""
        if self.packing is None:
            return False
        if str(payload.get("reason", "")).startswith(OUT_OF_MEMORY):
            return self.packing.out_of_memory()
        used, seconds = payload.get("resources", {}), payload.get("seconds", 0.0)
        self.packing.finished(used.get("images_per_second", 0.0) * seconds, used.get("peak_bytes", 0.0))
        return False

    def conclude(self, point: Point, record: TrialRecord) -> None:
        """A trial has been recorded: the strategy is told, repeats are queued, a paused one is kept."""
        if record.state == "paused":
            self.points[point.number] = point
            self.scheduler.hold(point.number)
        elif record.state == "failed" and record.repeat_of is None:
            self.scheduler.drop(point.number)
        if self.repeated_at_once(record):
            self.queue_repeats(record, point)
        self.exhausted = False
        first = record if record.repeat_of is None else self.ledger.records[record.repeat_of]
        self.proposer.tell(self.setting.observed(first, self.mean_losses(first)))

    def repeated_at_once(self, record: TrialRecord) -> bool:
        """Whether its repeats follow a trial, rather than come last and for the best alone."""
        return record.state == "complete" and record.repeat_of is None and self.setting.config.repeat_top is None

    def queue_repeats(self, record: TrialRecord, point: Point | None = None, most: int | None = None) -> None:
        """The same architecture with the seeds that are still wanted (``most`` of them), where the study repeats."""
        config, begun = self.setting.config, self.ledger.repeats[record.number]
        wanted = [seed for seed in range(config.seed + 1, config.seed + config.repeats) if seed not in begun]
        for seed in wanted[:most]:
            begun.add(seed)
            again = replace(point or self.setting.point_of(record), seed=seed, repeat_of=record.number)
            self.repeats.append(again)

    def mean_losses(self, record: TrialRecord) -> tuple[float, ...] | None:
        """The losses of a trial, averaged over its repeats."""
        again = sorted(self.ledger.again.get(record.number, ()))
        every = (record, *(self.ledger.records[number] for number in again))
        known = [told(r) for r in every if r.state == record.state and r.state != "failed"]
        known = [values for values in known if values]
        if not known:
            return None
        names = self.setting.config.objectives
        return losses(names, {name: sum(values[name] for values in known) / len(known) for name in names})

    def observation(self, point: Point, state: State = "running") -> Observation:
        """A point as strategies see it while it is trained."""
        candidate = point.candidate
        costs = self.ledger.costs(point)
        return Observation(
            point.first, candidate.holes, candidate.arch_id, state, None, 0, costs, point.facts, self.setting.space
        )

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
        top = self.setting.config.repeat_top or 0
        ranked = leaderboard(self.ledger.records.values(), len(self.ledger.records))
        want = [place for place, record in enumerate(ranked) if self.wants_repeats(record)]
        due = [place for place in want if place < top]
        for place in want[: max(len(due), self.executor.capacity)] if due else ():
            self.queue_repeats(self.ledger.records[ranked[place].number], most=1)
        return bool(self.repeats)

    def wants_repeats(self, record: TrialRecord) -> bool:
        """Whether seeds of it are left that were never begun."""
        return len(self.ledger.repeats[record.number]) < self.setting.config.repeats - 1


def asked(point: Point) -> Asked:
    """A point as the index knows it."""
    facts = {**point.facts, "origin": point.origin, "seed": point.seed}
    facts |= {} if point.repeat_of is None else {"repeat_of": point.repeat_of}
    return Asked(point.number, point.candidate.holes, attributes(point.label, point.candidate.arch_id, facts))
