"""The loop of the final trainings: what is missing is trained, tested and recorded, and survives any kill."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from inception_search.errors import Place, RunFolderError
from inception_search.runner.executor import BAD_DISK, Ended, Epoch, Executor
from inception_search.runner.job import APART, Job, OtherSeed
from inception_search.spec.identity import known_ids
from inception_search.store.provenance import versions
from inception_search.store.record import utc_now
from inception_search.study.final.folder import FinalsFolder
from inception_search.study.final.observer import FinalsObserver
from inception_search.study.final.record import FinalRecord, append_final
from inception_search.study.final.selection import Entrant, Setting
from inception_search.study.loop import OUT_OF_MEMORY
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


Bundle: TypeAlias = tuple[Training, ...]
"""Trainings of one network that are one job."""


def bundles(trainings: Iterable[Training]) -> list[Bundle]:
    """The trainings of each network together, in the order in which networks come."""
    found: dict[int, list[Training]] = {}
    for training in trainings:
        found.setdefault(training.entrant.record.number, []).append(training)
    return [tuple(each) for each in found.values()]


def named(bundle: Bundle) -> str:
    """What people call it."""
    seeds = ", ".join(str(training.seed) for training in bundle)
    return bundle[0].name if len(bundle) == 1 else f"{bundle[0].entrant.name} seeds {seeds}"


@dataclass(frozen=True)
class How:
    """What all trainings share besides the setting."""

    fidelity: dict[str, Any]
    device: str
    data: dict[str, Any]
    retries: int
    together: bool = False
    """All seeds of a network in one job."""
    if_faster: bool = True
    """Only where it is measured to be faster."""


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
        self.waiting: deque[Bundle] = deque()
        self.running: dict[int, Bundle] = {}
        self.number = 0

    def train(self, trainings: Iterable[Training]) -> bool:
        """Train and record all; False when stopped before. Raises RunFolderError for a disk that refuses."""
        left = [training for training in trainings if not self.adopted(training)]
        self.waiting.extend(bundles(left) if self.how.together else [(training,) for training in left])
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
        if payload.get("state") == APART:
            self.folder.clear(training.stem, state=False)
            return False
        self.record(training, payload)
        return True

    def submit(self, bundle: Bundle) -> None:
        """Begin trainings, or go on with them: their job is durable first."""
        path = self.folder.file("jobs", bundle[0].stem, ".json")
        job = self.job(bundle, _attempts(path) + 1)
        job.write(path)
        self.running[self.number] = bundle
        self.executor.submit(self.number, path)
        self.number += 1

    def job(self, bundle: Bundle, attempt: int) -> Job:
        """What their process is asked; files are below ``finals/``."""
        first, *others = [OtherSeed(training.seed, *_files(training.stem)) for training in bundle]
        trial, record = bundle[0].trial, bundle[0].entrant.record
        return Job(
            number=self.number,
            attempt=attempt,
            arch_id=trial.arch_id,
            started=utc_now(),
            network=trial.network.to_dict(),
            data="jobs/data.safetensors",
            fidelity=self.how.fidelity,
            device=self.how.device,
            **vars(first),
            others=tuple(others),
            if_faster=self.how.if_faster,
            aux=bool(self.setting.recipe["aux"]),
            test="jobs/test.safetensors",
            origin=record.origin,
            label=record.label,
        )

    def handle(self, event: Epoch | Ended) -> None:
        """React to what a job did."""
        bundle = self.running[event.number]
        if isinstance(event, Epoch):
            for training in bundle:
                training.tries = 0
            self.observer.epoch(named(bundle), event.metrics)
            self.executor.answer(event.number, "go on")
            return
        del self.running[event.number]
        if event.exit_code == BAD_DISK:
            mend = "free some space, or mend the disk, then finalize again; nothing recorded is lost"
            rule = f"{named(bundle)} could not read its images or write its result"
            raise RunFolderError(rule, place=Place(str(self.folder.run.path)), mend=mend)
        answer = self.folder.result(bundle[0].stem) or {}
        left = tuple(training for training in bundle if not self.adopted(training))
        if answer.get("state") == APART:
            self.part(left, str(answer.get("reason")))
        elif left and not event.began:
            self.submit(left)
        elif left:
            self.lost(left, event.exit_code)

    def lost(self, bundle: Bundle, exit_code: int | None) -> None:
        """Begin again what had its process taken away; apart, or not at all, where that happens again and again."""
        for training in bundle:
            training.tries += 1
        if bundle[0].tries < self.how.retries:
            self.observer.note(f"{named(bundle)} lost its process (exit code {exit_code}); it goes on")
            self.submit(bundle)
            return
        reason = f"its process was lost {bundle[0].tries} times in a row, last with exit code {exit_code}"
        if len(bundle) > 1:
            self.part(bundle, reason)
        else:
            self.record(bundle[0], {"state": "lost", "reason": reason})

    def part(self, bundle: Bundle, reason: str) -> None:
        """Train what cannot be, or is not to be, trained together one by one; in halves where memory is short."""
        for training in bundle:
            training.tries = 0
        most = max(1, len(bundle) // 2) if reason.startswith(OUT_OF_MEMORY) else 1
        parts = [bundle[at : at + most] for at in range(0, len(bundle), most)]
        self.waiting.extendleft(reversed(parts))
        self.observer.note(f"{named(bundle)}: trained {most if most > 1 else 'one'} at a time ({reason})")

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


def _files(stem: str) -> tuple[str, str, str]:
    """Where a training leaves its result, its weights, and how far it came; below ``finals/``."""
    return f"results/{stem}.json", f"checkpoints/{stem}.safetensors", f"checkpoints/{stem}.state"


def _attempts(path: Path) -> int:
    """How many attempts there were at the training whose job file is ``path``."""
    try:
        return Job.read(path).attempt
    except (OSError, ValueError, TypeError):
        return 0
