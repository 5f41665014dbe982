"""The loop that trains given trials, and recovers from lost processes, full memory and kills."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from inception_search.errors import Place, RunFolderError, TrainingError
from inception_search.runner.executor import BAD_DISK, Ended, Epoch, Executor, Word
from inception_search.runner.gpu_concurrency import Packing
from inception_search.spec.identity.arch_id import known_ids
from inception_search.store import outbox
from inception_search.store.disk import remove
from inception_search.store.layout import Layout
from inception_search.study.context import StudyContext
from inception_search.study.trial import Trial

MAX_BEGUN = 1000  # attempts of one trial over all sessions; more than plausible kills of the search
_PATIENCE = 0.5  # seconds between checks of the stop flag


class TrialLoop(ABC):
    """Trains ``unfinished`` to the end, or until ``stop`` is set; subclasses handle the results.

    The files of trials are in ``folder``. ``unfinished`` may have been begun by an earlier loop.
    """

    how_to_continue = "resume"
    """What the user does to continue stopped trials."""

    def __init__(
        self,
        folder: Layout,
        context: StudyContext,
        executor: Executor,
        note: Callable[[str], None],
        unfinished: Iterable[Trial],
        stop: threading.Event | None = None,
        packing: Packing | None = None,
    ) -> None:
        self.folder, self.context, self.executor, self.note = folder, context, executor, note
        self.unfinished = deque(unfinished)
        self.stop, self.packing = stop or threading.Event(), packing
        self.running: dict[int, Trial] = {}
        self.waiting: deque[int] = deque()
        """Running trials whose process was lost; they restart when a process is free."""
        self.late: set[int] = set()
        """Trials that exceeded their time limit once and continue."""

    @abstractmethod
    def what_next(self, trial: Trial, metrics: dict[str, Any]) -> Word:
        """Handle a finished epoch of a trial; return what the trial does next."""

    @abstractmethod
    def record_result(self, trial: Trial, payload: dict[str, Any]) -> None:
        """Record a trial with the result of its process."""

    @abstractmethod
    def record_failure(self, trial: Trial, reason: str) -> None:
        """Record a trial that left no result and is not restarted."""

    def begin_another(self) -> bool:
        """Begin a trial that is not in ``unfinished``, if there is one; return whether there was."""
        return False

    def try_to_finish(self) -> bool:
        """Called when nothing runs and nothing can begin: queue what is left, or return True if everything is done."""
        return True

    def loop(self) -> bool:
        """Train until everything is done; False if stopped earlier.

        Stopped trials continue from their last epoch in the next loop over the folder. Raises RunFolderError if the
        disk cannot be read or written.
        """
        try:
            self.adopt()
            while not self.stop.is_set():
                launched = self.launch()
                if not launched and not self.running and self.try_to_finish():
                    return True
                for event in self.executor.wait(0.0 if launched else _PATIENCE):
                    self.handle(event)
            return False
        finally:
            self.executor.cancel()

    def adopt(self) -> None:
        """Record trainings that an earlier loop finished but did not record; the others are queued."""
        left: deque[Trial] = deque()
        for trial in self.unfinished:
            payload = outbox.read(self.folder.result_file(trial.number))
            if payload is not None and payload.get("arch_id") in known_ids(trial.network):
                self.record_result(trial, payload)
            else:
                remove(self.folder.result_file(trial.number))
                left.append(trial)
        self.unfinished = left

    def launch(self) -> bool:
        """Start the next trial if a process is free; return whether there was anything to do."""
        if len(self.running) - len(self.waiting) >= self.executor.capacity:
            return False
        if self.waiting:
            self.start(self.waiting.popleft())
        elif self.unfinished:
            self.continue_trial(self.unfinished.popleft())
        else:
            return self.begin_another()
        return True

    def continue_trial(self, trial: Trial) -> None:
        """Continue a trial that an earlier loop did not finish; this does not count against the trial."""
        if trial.attempt >= MAX_BEGUN:
            self.record_failure(trial, f"it was begun {trial.attempt} times, and each time its process was lost")
            return
        self.submit(trial.again(), trial.attempt + 1, trial.tries)
        self.start(trial.number)

    def submit(self, trial: Trial, attempt: int, tries: int) -> None:
        """Begin an attempt at a trial by writing its job, which survives a kill of the loop."""
        trial.attempt, trial.tries, trial.curve = attempt, tries, []
        self.context.job_of(trial, self.folder).write(self.folder.job_file(trial.number))
        self.running[trial.number] = trial

    def start(self, number: int) -> None:
        """Start the job of a trial."""
        self.executor.submit(number, self.folder.job_file(number))

    def handle(self, event: Epoch | Ended) -> None:
        """Handle an event of a trial."""
        trial = self.running[event.number]
        if isinstance(event, Epoch):
            trial.curve.append(event.metrics)
            self.executor.answer(event.number, self.what_next(trial, event.metrics))
        elif event.exit_code == BAD_DISK:
            raise RunFolderError(
                f"{trial.name} could not read its data or write its result",
                place=Place(str(self.folder.path)),
                hint=f"free some space, or repair the disk, then {self.how_to_continue}; nothing recorded is lost",
            )
        else:
            del self.running[event.number]
            self.process_ended(trial, event)

    def process_ended(self, trial: Trial, event: Ended) -> None:
        """Record a trial whose process has ended, or restart it from its last epoch."""
        number, name = event.number, trial.name
        payload = outbox.read(self.folder.result_file(number))
        if payload is not None and self.too_crowded(payload):
            remove(self.folder.result_file(number))
            self.note(f"{name} ran out of memory beside others; it runs again, with fewer at a time")
            self.repeat(trial, attempt=trial.attempt + 1, tries=trial.tries)
        elif payload is not None:
            self.record_result(trial, payload)
        elif self.stop.is_set():
            return  # a signal may have ended the trial too; its job remains for the next session
        elif event.handed_back:
            where = "from its last epoch" if trial.advanced else "from where it was"
            self.note(f"{name} was returned by a worker that exits; it continues elsewhere {where}")
            self.repeat(trial, attempt=trial.attempt + 1, tries=trial.tries)
        elif not event.began and not event.late:
            self.note(f"the process of {name} ended before it began; it is started again")
            self.repeat(trial, attempt=trial.attempt, tries=trial.tries)  # this does not count as an attempt
        elif event.late and number in self.late:
            self.record_failure(trial, f"it ran longer than the limit of {self.context.config.trial_seconds:g} s")
        elif not trial.advanced and trial.tries >= self.context.config.retries:
            times = f"its process was lost {trial.tries} times in a row"
            self.record_failure(trial, f"{times}, last with exit code {event.exit_code}")
        else:
            self.late |= {number} if event.late else set()
            why = "ran out of time" if event.late else f"lost its process (exit code {event.exit_code})"
            self.note(f"{name} {why}; it runs again")
            self.repeat(trial, attempt=trial.attempt + 1, tries=1 if trial.advanced else trial.tries + 1)

    def repeat(self, trial: Trial, attempt: int, tries: int) -> None:
        """Begin another attempt, which starts when a process is free."""
        self.submit(trial, attempt, tries)
        self.waiting.append(trial.number)

    def too_crowded(self, payload: dict[str, Any]) -> bool:
        """Report a trial's memory use; return whether it ran out of memory because others share its GPU."""
        if self.packing is None:
            return False
        if ran_out_of_memory(payload):
            return self.packing.out_of_memory()
        used, seconds = payload.get("resources", {}), payload.get("seconds", 0.0)
        self.packing.finished(used.get("images_per_second", 0.0) * seconds, used.get("peak_bytes", 0.0))
        return False


def ran_out_of_memory(payload: dict[str, Any]) -> bool:
    """Whether a training with the result ``payload`` ran out of memory on its device."""
    return str(payload.get("reason", "")).startswith(TrainingError.OUT_OF_MEMORY)
