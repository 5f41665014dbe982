"""Workers that attached themselves to a study from other terminals or machines, as the driver sees them.

Each has a folder below ``workers/`` with two logs of JSON lines: ``orders.jsonl``, which the driver writes, and
``events.jsonl``, which the worker writes. Nothing listens on a network.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inception_search.errors import DocumentError, Place, RunFolderError
from inception_search.runner.executor import Ended, Epoch, Event, Executor, Word
from inception_search.store.disk import typed_errors
from inception_search.store.heartbeat import Presence, Watched
from inception_search.store.jsonl import append_line, complete_lines
from inception_search.store.provenance import common_facts
from inception_search.store.run_folder import RunFolder

ALIVE, ORDERS, EVENTS, DRIVER = "alive", "orders.jsonl", "events.jsonl", "driver"
_UNREADABLE = (DocumentError, RunFolderError, KeyError, TypeError)  # of what a worker said
_LOOK = 1.0  # seconds between looks for new workers


class Log:
    """The lines of a log that have not been read yet."""

    def __init__(self, path: Path) -> None:
        self.path, self.read = path, 0

    def new(self) -> list[dict[str, Any]]:
        """What has been added since the last call. Raises DocumentError for a line that is no JSON object."""
        if not self.path.is_file():
            return []
        lines = complete_lines(self.path, self.read)
        self.read += sum(len(line) + 1 for line in lines)
        return [self._object(line) for line in lines]

    def _object(self, line: bytes) -> dict[str, Any]:
        with suppress(ValueError):
            if isinstance(said := json.loads(line), dict):
                return said
        hint = "start the worker again: its trial continues from its last epoch"
        raise DocumentError("a message between search and worker was damaged", place=Place(str(self.path)), hint=hint)


@dataclass
class _Worker:
    folder: Path
    presence: Watched
    events: Log
    number: int | None = None

    def order(self, **facts: Any) -> None:
        append_line(self.folder / ORDERS, json.dumps(facts))


class RemoteExecutor:
    """The workers that are there now; one that goes loses its trial, which the driver starts again elsewhere."""

    def __init__(self, run: RunFolder, note: Callable[[str], None] = lambda text: None, look: float = _LOOK) -> None:
        self.run, self.note, self.look = run, note, look
        self.session = uuid.uuid4().hex[:8]
        self.workers: dict[str, _Worker] = {}
        self.lost: list[Ended] = []
        self.next_look = 0.0
        with typed_errors(run.workers_folder):
            run.workers_folder.mkdir(exist_ok=True)
            self._sweep()  # before anybody can know this session
        self.presence = Presence(run.workers_folder / DRIVER, {"session": self.session, "common": common_facts(run)})

    @property
    def capacity(self) -> int:
        """How many trials they take at a time: one each."""
        self._look_around()
        return len(self.workers)

    @property
    def busy(self) -> int:
        """How many are at work."""
        return sum(worker.number is not None for worker in self.workers.values())

    def submit(self, number: int, job_file: Path) -> None:
        """Order a worker that is free to do a job."""
        worker = next(worker for worker in self.workers.values() if worker.number is None)
        worker.number = number
        worker.order(order="run", number=number, job=str(job_file.relative_to(self.run.path)))

    def wait(self, timeout: float) -> list[Event]:
        """What they did."""
        self.presence.beat()
        lost, self.lost = self.lost, []
        events: list[Event] = [*lost]
        for name, worker in list(self.workers.items()):
            try:
                said = _events(worker)
                events += said
                if any(isinstance(event, Ended) and event.handed_back for event in said):
                    self._gone(name, worker)
            except _UNREADABLE as error:
                self._drop(name, worker, error)
        self._look_around()
        return events

    def answer(self, number: int, word: Word) -> None:
        """Tell the worker that does a trial."""
        for worker in self.workers.values():
            if worker.number == number:
                worker.order(order="word", number=number, word=word)

    def cancel(self) -> None:
        """End what they do."""
        for worker in self.workers.values():
            worker.order(order="cancel")

    def close(self, finished: bool) -> None:
        """No more orders will come: they may go where the study is done, and wait for another driver where not."""
        try:
            for worker in self.workers.values():
                worker.order(order="leave" if finished else "cancel")
        finally:
            self.presence.leave()

    def _look_around(self) -> None:
        if time.monotonic() < self.next_look:
            return
        self.next_look = time.monotonic() + self.look
        for folder in sorted(self.run.workers_folder.glob(f"*-{self.session}")):
            if folder.name not in self.workers and (watched := Watched(folder / ALIVE)).there():
                self.workers[folder.name] = _Worker(folder, watched, Log(folder / EVENTS))
                self.note(f"worker {folder.name} has come")
        for name, worker in list(self.workers.items()):
            if not worker.presence.there():
                self._gone(name, worker)

    def _gone(self, name: str, worker: _Worker) -> None:
        """What it said before it went still counts."""
        with suppress(*_UNREADABLE):
            self.lost += [event for event in _events(worker) if isinstance(event, Ended)]
        self._forget(name, worker)
        self.note(f"worker {name} has gone")

    def _drop(self, name: str, worker: _Worker, error: Exception) -> None:
        """A worker that cannot be understood finds its folder gone, and ends."""
        self._forget(name, worker)
        self.note(f"worker {name} is let go: {' '.join(str(error).split())}")

    def _forget(self, name: str, worker: _Worker) -> None:
        if worker.number is not None:
            self.lost.append(Ended(worker.number, None))
        del self.workers[name]
        shutil.rmtree(worker.folder, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what workers of earlier sessions left."""
        for folder in self.run.workers_folder.iterdir():
            if folder.is_dir() and not folder.is_symlink() and not Watched(folder / ALIVE).there():
                shutil.rmtree(folder, ignore_errors=True)


def _events(worker: _Worker) -> list[Event]:
    """The events that a worker has written since the last call."""
    return [event for said in worker.events.new() if (event := _event(worker, said)) is not None]


def _event(worker: _Worker, said: dict[str, Any]) -> Event | None:
    if said.get("number") != worker.number or worker.number is None:
        return None
    if said["event"] == "epoch":
        return Epoch(worker.number, said["metrics"])
    number, worker.number = worker.number, None
    if said["event"] == "handed_back":
        return Ended(number, None, handed_back=True)
    return Ended(number, said["exit_code"], said["late"], said.get("began", True))


_TURN = 0.02  # seconds, at most, spent waiting for one while another is at work


class CompositeExecutor:
    """This machine's own processes first, then the workers that attached themselves."""

    def __init__(self, own: Executor, attached: RemoteExecutor) -> None:
        self.own, self.attached = own, attached
        self.where: dict[int, Executor] = {}

    @property
    def capacity(self) -> int:
        """How many trials run at a time, in all."""
        return self.own.capacity + self.attached.capacity

    def submit(self, number: int, job_file: Path) -> None:
        """Start a trial where a place is free."""
        here = sum(place is self.own for place in self.where.values())
        place: Executor = self.own
        if here >= self.own.capacity and self.attached.busy < len(self.attached.workers):
            place = self.attached
        self.where[number] = place
        place.submit(number, job_file)

    def wait(self, timeout: float) -> list[Event]:
        """What happened anywhere."""
        early = self.attached.wait(0.0)
        waiting = 0.0 if early else min(timeout, _TURN) if self.attached.busy else timeout
        events = [*early, *self.own.wait(waiting), *self.attached.wait(0.0)]
        for event in events:
            if isinstance(event, Ended):
                del self.where[event.number]
        return events

    def answer(self, number: int, word: Word) -> None:
        """Tell the trial where it is; one that has ended meanwhile needs no answer."""
        if number in self.where:
            self.where[number].answer(number, word)

    def cancel(self) -> None:
        """End every trial."""
        self.own.cancel()
        self.attached.cancel()
