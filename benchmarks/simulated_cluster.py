"""A simulated cluster: an executor whose trials take their times and curves from recorded ones, on a virtual clock.

Nothing is trained and nothing sleeps. The clock moves on by the time that the driver really needs, and jumps to the
next event when the driver waits. A driver that is too slow thus leaves workers idle, as on a real cluster.
"""

from __future__ import annotations

import heapq
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from inception_search.runner.executor import Ended, Epoch, Event, Word
from inception_search.runner.job import Job
from inception_search.store.atomic import write_atomic
from inception_search.store.jsonl import sealed
from inception_search.store.provenance import versions
from inception_search.store.run_folder import RunFolder

EXAMPLE = Path(__file__).parents[1] / "runs" / "example"
STATES = {"go on": "complete", "stop": "pruned", "pause": "paused"}
Curve = list[dict[str, Any]]


def recorded_curves(run: Path = EXAMPLE) -> list[Curve]:
    """The curves of the complete trials in a run folder."""
    records = RunFolder.open(run).records()
    return [
        [epoch.model_dump(exclude_none=True) for epoch in each.curve] for each in records if each.state == "complete"
    ]


@dataclass
class Training:
    """A trial on a worker: its job, the curve that it follows, and its progress."""

    job: Job
    root: Path
    curve: Curve
    epoch: int = 0
    word: Word = "go on"


class SimulatedCluster:
    """Runs ``capacity`` trials at the same time; a trial of median length takes ``seconds``.

    Args:
        capacity: the number of workers.
        seconds: the duration of a trial of median length.
        curves: the curves that trials follow; a random number that depends on the architecture alone chooses one, and
            moves its accuracies.
        clock: the clock that measures the driver, in seconds.
        processor_clock: the clock that measures its processor time.
    """

    def __init__(
        self,
        capacity: int,
        seconds: float,
        curves: Sequence[Curve],
        clock: Callable[[], float] = time.perf_counter,
        processor_clock: Callable[[], float] = time.process_time,
    ) -> None:
        self.capacity, self.curves, self.clock, self.processor_clock = capacity, curves, clock, processor_clock
        self.scale = seconds / statistics.median(sum(epoch["seconds"] for epoch in curve) for curve in curves)
        self.now = self.worked = self.driver_seconds = self.cpu_seconds = self.own_seconds = 0.0
        """The virtual time; the seconds that workers have trained; those of the driver, by both clocks; those of this
        object."""
        self.running: dict[int, Training] = {}
        self.due: list[tuple[float, int, int]] = []
        self.order = count()
        self.left, self.cpu_left = clock(), processor_clock()

    @contextmanager
    def _entered(self) -> Iterator[None]:
        """Count the time since the last call as the driver's, and the time of the block as this object's."""
        begun = self.clock()
        self.driver_seconds += begun - self.left
        self.now += begun - self.left
        self.cpu_seconds += self.processor_clock() - self.cpu_left
        try:
            yield
        finally:
            self.left, self.cpu_left = self.clock(), self.processor_clock()
            self.own_seconds += self.left - begun

    def submit(self, number: int, job_file: Path) -> None:
        """Start the job on a worker, which reads its file."""
        with self._entered():
            job = Job.read(job_file)
            self.running[number] = training = Training(job, job_file.parent.parent, self._curve(job.arch_id))
            self._schedule(number, training)

    def wait(self, timeout: float) -> list[Event]:
        """The events that are due; if there are none and the driver waits, the clock jumps to the next one."""
        with self._entered():
            if self.due and timeout > 0:
                self.now = max(self.now, self.due[0][0])
            found: list[Event] = []
            while self.due and self.due[0][0] <= self.now:
                found.append(self._event(heapq.heappop(self.due)[2]))
            return found

    def answer(self, number: int, word: Word) -> None:
        """Continue a trial that has reported an epoch, or end it."""
        with self._entered():
            training = self.running[number]
            training.word = word
            self._schedule(number, training)

    def cancel(self) -> None:
        """Stop every trial."""
        self.running.clear()
        self.due.clear()

    def _curve(self, arch_id: str) -> Curve:
        rng = random.Random(arch_id)
        moved, pace = rng.uniform(-0.2, 0.02), self.scale
        return [
            {
                **epoch,
                "validation_accuracy": min(1.0, max(0.0, epoch["validation_accuracy"] + moved)),
                "seconds": epoch["seconds"] * pace,
            }
            for epoch in rng.choice(self.curves)
        ]

    def _schedule(self, number: int, training: Training) -> None:
        """Schedule the next event of a trial: the end of an epoch, or of the trial."""
        goes_on = training.word == "go on" and training.epoch < len(training.curve)
        seconds = training.curve[training.epoch]["seconds"] if goes_on else 0.0
        self.worked += seconds
        heapq.heappush(self.due, (self.now + seconds, next(self.order), number))

    def _event(self, number: int) -> Event:
        training = self.running[number]
        if training.word == "go on" and training.epoch < len(training.curve):
            training.epoch += 1
            return Epoch(number, training.curve[training.epoch - 1])
        del self.running[number]
        result = sealed(json.dumps(_payload(training) | training.job.stamp))
        write_atomic(training.root / training.job.result, result)
        return Ended(number, 0)


def _payload(training: Training) -> dict[str, Any]:
    """The result as the process of a trial writes it."""
    curve = training.curve[: training.epoch]
    return {
        "state": STATES[training.word] if training.epoch < len(training.curve) else "complete",
        "value": curve[-1]["validation_accuracy"],
        "curve": curve,
        "seconds": sum(epoch["seconds"] for epoch in curve),
        "device": "cpu AVX2, 1 threads",
        "fidelity": training.job.fidelity,
        "resources": {"images_per_second": 412.7911416930549},
        "rewrites": {},
        "versions": versions(),
    }
