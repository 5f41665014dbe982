"""An executor without processes: what a training comes to is a function of the network."""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inception_search.errors import RunFolderError
from inception_search.runner.executor import BAD_DISK, Ended, Epoch, Event
from inception_search.runner.job import Job
from inception_search.store.atomic import write_atomic
from inception_search.store.jsonl import sealed
from inception_search.store.record import QUALITIES

Fate = Callable[[Job], str]


def accuracy(arch_id: str, epoch: int) -> float:
    """What a network reaches after some epochs, 0..1, on a grid so that text keeps it exactly."""
    quality = int(hashlib.sha256(arch_id.encode()).hexdigest()[:4], 16) % 512 / 1024
    return quality + min(epoch, 64) / 1024


def metrics(arch_id: str, epoch: int) -> dict[str, Any]:
    """The metrics of an epoch as a trial process sends them."""
    losses = {"train_loss": 1.0 / epoch, "validation_loss": 1.0 / epoch, "learning_rate": 0.1, "seconds": 0.0}
    qualities = dict.fromkeys((f"validation_{name}" for name in QUALITIES), accuracy(arch_id, epoch))
    return {"epoch": epoch, **qualities, **losses}


TRAINED_WITH = dict.fromkeys(("python", "torch", "optuna", "inception-search"), "of the trial's process")


class World:
    """What happened outside the run folder, over all drivers of a study."""

    def __init__(self, fate: Fate = lambda job: "complete") -> None:
        self.fate = fate
        self.begun: list[tuple[int, int]] = []  # number, attempt
        self.finished: Counter[tuple[str, int]] = Counter()  # architecture and seed, by how often it ended
        self.epochs: Counter[tuple[str, int]] = Counter()  # the same, by epochs trained
        self.stopped_at: dict[int, int] = {}


class FakeExecutor:
    """Advances one running trial at a time, drawn by ``rng`` (else the oldest)."""

    def __init__(self, world: World, capacity: int = 1, rng: random.Random | None = None) -> None:
        self.world, self.capacity, self.rng = world, capacity, rng
        self.running: dict[int, _Training] = {}
        self.cancelled = False

    def submit(self, number: int, job_file: Path) -> None:
        job = Job.read(job_file)
        assert job.number == number
        assert len(self.running) < self.capacity
        self.world.begun.append((number, job.attempt))
        self.running[number] = _Training(job, job_file.parent.parent)

    def wait(self, timeout: float) -> list[Event]:
        ready = [number for number, training in self.running.items() if not training.asks]
        if not ready:
            return []
        event = self._step(self.rng.choice(ready) if self.rng else ready[0])
        return [event] if event else []

    def answer(self, number: int, word: str) -> None:
        training = self.running[number]
        assert training.asks
        training.asks, training.word = False, word
        training.stopped = word != "go on" and training.epoch < training.epochs
        if training.stopped:
            self.world.stopped_at[number] = training.epoch

    def cancel(self) -> None:
        self.cancelled = True
        self.running.clear()

    def _step(self, number: int) -> Event | None:
        training = self.running[number]
        job, fate = training.job, self.world.fate(training.job)
        if fate == "dies_at_once":
            return self._end(number, -9)
        if fate == "dies" and training.epoch == 1:
            return self._end(number, -9)
        if fate == "disk":
            return self._end(number, BAD_DISK)
        if fate == "hangs":
            return self._end(number, -15, late=True)
        if training.resumed:
            training.resumed, training.asks = False, True
            return Epoch(number, metrics(job.arch_id, training.epoch))
        if training.epoch < training.epochs and not training.stopped:
            training.epoch += 1
            training.asks = True
            training.state.write_text(str(training.epoch))
            self.world.epochs[job.arch_id, job.seed] += 1
            return Epoch(number, metrics(job.arch_id, training.epoch))
        if fate == "dies_at_the_end":
            return self._end(number, -9)
        try:
            write_atomic(training.root / job.result, sealed(json.dumps(_payload(training, fate) | job.stamp)))
        except RunFolderError:
            return self._end(number, BAD_DISK)
        if not training.stopped or training.word == "stop":
            self.world.finished[job.arch_id, job.seed] += 1
        return self._end(number, -9 if fate == "dies_after_result" else 0)

    def _end(self, number: int, code: int, late: bool = False) -> Ended:
        del self.running[number]
        return Ended(number, code, late)


class _Training:
    def __init__(self, job: Job, root: Path) -> None:
        self.job, self.root = job, root
        self.epochs = job.fidelity["epochs"]
        self.state = root / str(job.state)
        self.epoch = int(self.state.read_text()) if self.state.is_file() else 0
        self.resumed = 0 < self.epoch < self.epochs
        self.word = "go on"
        self.asks = False
        self.stopped = False


def _payload(training: _Training, fate: str) -> dict[str, Any]:
    arch_id = training.job.arch_id
    if fate == "fails":
        return {"state": "failed", "reason": "RuntimeError: it broke\n  in two lines"}
    spoilt = {"nan": float("nan"), "inf": float("-inf"), "text": "0.5", "none": None}
    known = accuracy(arch_id, training.epoch)
    value = spoilt[fate] if fate in spoilt else known * 0.75 if fate == "unlucky" else known
    return {
        "state": {"stop": "pruned", "pause": "paused"}[training.word] if training.stopped else "complete",
        "value": value,
        "curve": [metrics(arch_id, epoch) for epoch in range(1, training.epoch + 1)],
        "seconds": 1.5,
        "versions": TRAINED_WITH,
        "device": "a fake",
        "fidelity": training.job.fidelity,
    }
