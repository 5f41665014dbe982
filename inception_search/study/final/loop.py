"""The loop of the final trainings: what is missing is trained, tested and recorded, and survives any kill."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from inception_search.errors import Place, RunFolderError, TrainingError
from inception_search.runner.executor import BAD_DISK, Ended, Epoch, Executor
from inception_search.runner.job import Job
from inception_search.spec.identity.arch_id import known_ids
from inception_search.store.provenance import versions
from inception_search.store.record import utc_now
from inception_search.study.final.folder import FinalsFolder
from inception_search.study.final.observer import FinalsObserver
from inception_search.study.final.record import FinalRecord, append_final
from inception_search.study.final.selection import Entrant, Setting
from inception_search.study.trial import Trial

TESTED = (
    *("test_accuracy", "test_balanced_accuracy", "test_macro_f1", "test_loss"),
    *("test_images", "test_right", "test_truth", "test_answers"),
)
VALIDATED = ("validation_balanced_accuracy", "validation_macro_f1")
_PATIENCE = 0.5  # seconds between looks at the stop flag


@dataclass
class Training:
    """One network with one seed; ``tries`` without coming on in a row."""

    entrant: Entrant
    trial: Trial
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
        self.waiting: deque[Training] = deque()
        self.running: dict[int, Training] = {}
        self.number = 0

    def train(self, trainings: Iterable[Training]) -> bool:
        """Train and record all; False when stopped before. Raises RunFolderError for a disk that refuses."""
        self.waiting.extend(training for training in trainings if not self.adopted(training))
        try:
            while (self.waiting or self.running) and not self.stop.is_set():
                while self.waiting and len(self.running) < self.executor.capacity:
                    self.submit(self.waiting.popleft())
                for event in self.executor.wait(_PATIENCE):
                    self.handle(event)
            return not self.waiting and not self.running
        finally:
            self.executor.cancel()

    def adopted(self, training: Training) -> bool:
        """Record what a process trained to the end; whether it did."""
        payload = self.folder.result(training.stem)
        if payload is None or payload.get("arch_id") not in known_ids(training.trial.network):
            return False
        self.record(training, payload)
        return True

    def submit(self, training: Training) -> None:
        """Begin a training, or go on with it: its job is durable first."""
        path = self.folder.file("jobs", training.stem, ".json")
        self.job(training, _attempts(path) + 1).write(path)
        self.running[self.number] = training
        self.executor.submit(self.number, path)
        self.number += 1

    def job(self, training: Training, attempt: int) -> Job:
        """The job of its process; files are below ``finals/``."""
        trial, record, stem = training.trial, training.entrant.record, training.stem
        return Job(
            number=self.number,
            attempt=attempt,
            arch_id=trial.arch_id,
            started=utc_now(),
            network=trial.network.to_dict(),
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
        """React to what a job did."""
        training = self.running[event.number]
        if isinstance(event, Epoch):
            training.tries = 0
            self.observer.epoch(training.name, event.metrics)
            self.executor.answer(event.number, "go on")
            return
        del self.running[event.number]
        if event.exit_code == BAD_DISK:
            hint = "free some space, or repair the disk, then finalize again; nothing recorded is lost"
            rule = f"{training.name} could not read its images or write its result"
            raise RunFolderError(rule, place=Place(str(self.folder.run.path)), hint=hint)
        if self.adopted(training):
            return
        if event.began:
            self.lost(training, event.exit_code)
        else:
            self.submit(training)

    def lost(self, training: Training, exit_code: int | None) -> None:
        """Begin again a training whose process was taken away, unless that happens again and again."""
        training.tries += 1
        if training.tries < self.how.retries:
            self.observer.note(f"{training.name} lost its process (exit code {exit_code}); it goes on")
            self.submit(training)
            return
        reason = f"its process was lost {training.tries} times in a row, last with exit code {exit_code}"
        self.record(training, {"state": "lost", "reason": reason})

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
        if state == "failed" and str(payload.get("reason")).startswith(TrainingError.OUT_OF_MEMORY):
            state = "lost"  # with fewer at a time, or on another device, it may come to its end
        told: dict[str, Any] = {name: payload[name] for name in ("attempt", "seconds", "reason") if name in payload}
        if state == "complete":
            told |= {name: payload[name] for name in TESTED if name in payload}
            last = (payload.get("curve") or [{}])[-1]
            told |= {name: last.get(name) for name in VALIDATED}
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
            cost=training.trial.counts,
            fidelity=payload.get("fidelity") or self.how.fidelity,
            device=payload.get("device") or self.how.device,
            data=self.how.data,
            versions=payload.get("versions") or versions(),
            **told,
        )


def _attempts(path: Path) -> int:
    """How many attempts there were at the training whose job file is ``path``."""
    try:
        return Job.read(path).attempt
    except (OSError, ValueError, TypeError):
        return 0
