"""The loop of the final trainings: what is missing is trained, tested and recorded, and survives any kill."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from inception_search.errors import Place, RunFolderError
from inception_search.store.record import utc_now
from inception_search.study.candidate import Candidate
from inception_search.study.driver import OUT_OF_MEMORY
from inception_search.study.executor import BAD_DISK, Ended, Epoch, Executor
from inception_search.study.finals.folder import FinalsFolder
from inception_search.study.finals.observer import FinalsObserver
from inception_search.study.finals.record import FinalRecord, append_final
from inception_search.study.finals.selection import Entrant, Setting
from inception_search.study.job import Job
from inception_search.study.versions import versions

_PATIENCE = 0.5  # seconds between looks at the stop flag


@dataclass
class Training:
    """One network with one seed; ``tries`` without coming on in a row."""

    entrant: Entrant
    candidate: Candidate
    seed: int
    recipe_id: str
    tries: int = 0

    @property
    def stem(self) -> str:
        """What its files are called; the same in every session."""
        return f"{self.recipe_id}-{self.entrant.record.number}-{self.seed}"

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.entrant.name} seed {self.seed}"


@dataclass(frozen=True)
class How:
    """What all trainings share besides the setting."""

    fidelity: dict[str, Any]
    device: str
    data: dict[str, Any]
    retries: int


class FinalsLoop:
    """Trains to the end, or until ``stop`` is set."""

    def __init__(
        self,
        folder: FinalsFolder,
        setting: Setting,
        how: How,
        executor: Executor,
        observer: FinalsObserver,
        stop: threading.Event,
    ) -> None:
        self.folder, self.setting, self.how = folder, setting, how
        self.executor, self.observer, self.stop = executor, observer, stop
        self.running: dict[int, Training] = {}
        self.number = 0

    def train(self, trainings: Iterable[Training]) -> bool:
        """Train and record all; False when stopped before. Raises RunFolderError for a disk that refuses."""
        waiting = deque(training for training in trainings if not self.adopted(training))
        try:
            while (waiting or self.running) and not self.stop.is_set():
                while waiting and len(self.running) < self.executor.capacity:
                    self.submit(waiting.popleft())
                for event in self.executor.wait(_PATIENCE):
                    self.handle(event)
            return not waiting and not self.running
        finally:
            self.executor.cancel()

    def adopted(self, training: Training) -> bool:
        """Record what an earlier session trained to the end and did not record."""
        payload = self.folder.result(training.stem)
        if payload is None or payload.get("arch_id") != training.candidate.arch_id:
            return False
        self.record(training, payload)
        return True

    def submit(self, training: Training) -> None:
        """Begin a training, or go on with it: its job is durable first."""
        path = self.folder.file("jobs", training.stem, ".json")
        job = self.job(training, _attempts(path) + 1)
        job.write(path)
        self.running[self.number] = training
        self.executor.submit(self.number, path)
        self.number += 1

    def job(self, training: Training, attempt: int) -> Job:
        """What its process is asked; files are below ``finals/``."""
        stem, record = training.stem, training.entrant.record
        return Job(
            number=self.number,
            attempt=attempt,
            arch_id=training.candidate.arch_id,
            started=utc_now(),
            network=training.candidate.network.to_dict(),
            data="jobs/data.safetensors",
            fidelity=self.how.fidelity,
            seed=training.seed,
            device=self.how.device,
            result=f"results/{stem}.json",
            checkpoint=f"checkpoints/{stem}.safetensors",
            state=f"checkpoints/{stem}.state",
            aux=bool(self.setting.recipe["aux"]),
            test="jobs/test.safetensors",
            origin=record.origin,
            label=record.label,
        )

    def handle(self, event: Epoch | Ended) -> None:
        """React to what a training did."""
        training = self.running[event.number]
        if isinstance(event, Epoch):
            training.tries = 0
            self.observer.epoch(training.name, event.metrics)
            self.executor.answer(event.number, "go on")
            return
        del self.running[event.number]
        if event.exit_code == BAD_DISK:
            mend = "free some space, or mend the disk, then finalize again; nothing recorded is lost"
            rule = f"{training.name} could not read its images or write its result"
            raise RunFolderError(rule, place=Place(str(self.folder.run.path)), mend=mend)
        payload = self.folder.result(training.stem)
        if payload is not None:
            self.record(training, payload)
            return
        training.tries += 1
        if training.tries >= self.how.retries:
            reason = f"its process was lost {training.tries} times in a row, last with exit code {event.exit_code}"
            self.record(training, {"state": "lost", "reason": reason})
            return
        self.observer.note(f"{training.name} lost its process (exit code {event.exit_code}); it goes on")
        self.submit(training)

    def record(self, training: Training, payload: dict[str, Any]) -> None:
        """Make what came of a training durable, then forget its job."""
        record = self.record_of(training, payload)
        if record.state == "complete":
            self.folder.note(self.setting)
        append_final(self.folder.records_file, record)
        self.folder.clear(training.stem, state=record.state != "lost")
        self.observer.recorded(training.name, record)

    def record_of(self, training: Training, payload: dict[str, Any]) -> FinalRecord:
        """The line of a training with the result ``payload``."""
        try:
            return self._line(training, payload)
        except (KeyError, TypeError, ValueError, ValidationError) as error:
            reason = f"its result cannot be used: {' '.join(str(error).split())[:300]}"
            return self._line(training, {"state": "failed", "reason": reason})

    def _line(self, training: Training, payload: dict[str, Any]) -> FinalRecord:
        trial, state = training.entrant.record, payload["state"]
        if state == "failed" and str(payload.get("reason")).startswith(OUT_OF_MEMORY):
            state = "lost"  # with fewer at a time, or on another device, it may come to its end
        tested = ("test_accuracy", "test_loss", "test_images", "test_right") if state == "complete" else ()
        told = {name: payload[name] for name in (*tested, "attempt", "seconds", "reason") if name in payload}
        return FinalRecord(
            state=state,
            recipe=self.setting.recipe_id,
            setting=self.setting.id,
            trial=trial.number,
            origin=trial.origin,
            label=trial.label,
            arch_id=str(trial.arch_id),
            seed=training.seed,
            validation_accuracy=payload.get("value"),
            started=payload.get("started") or utc_now(),
            cost=training.candidate.counts(),
            fidelity=payload.get("fidelity") or self.how.fidelity,
            device=payload.get("device") or self.how.device,
            data=self.how.data,
            versions=versions(),
            **told,
        )


def _attempts(path: Path) -> int:
    """How many attempts there were at the training whose job file is ``path``."""
    try:
        return Job.read(path).attempt
    except (OSError, ValueError, TypeError):
        return 0
