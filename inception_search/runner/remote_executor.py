"""Execution of trials by workers that attached themselves to a study from other terminals or machines.

Each worker has a folder below ``workers/`` with two logs of JSON lines: the driver writes ``orders.jsonl``, and the
worker writes ``events.jsonl``. No network connections are used.
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
_UNREADABLE = (DocumentError, RunFolderError, KeyError, TypeError)  # errors of a damaged message from a worker
_LOOK = 1.0  # seconds between searches for new workers


class Log:
    """A log file and the position up to which it has been read."""

    def __init__(self, path: Path) -> None:
        self.path, self.read = path, 0

    def new(self) -> list[dict[str, Any]]:
        """The messages added since the last call. Raises DocumentError for a line that is not a JSON object."""
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
    """The attached workers. If a worker leaves, the driver starts its trial again elsewhere."""

    def __init__(self, run: RunFolder, note: Callable[[str], None] = lambda text: None, look: float = _LOOK) -> None:
        self.run, self.note, self.look = run, note, look
        self.session = uuid.uuid4().hex[:8]
        self.workers: dict[str, _Worker] = {}
        self.lost: list[Ended] = []
        self.next_look = 0.0
        with typed_errors(run.workers_folder):
            run.workers_folder.mkdir(exist_ok=True)
            self._sweep()  # before any worker can see this session
        self.presence = Presence(run.workers_folder / DRIVER, {"session": self.session, "common": common_facts(run)})

    @property
    def capacity(self) -> int:
        """The number of workers, each of which runs one trial."""
        self._look_around()
        return len(self.workers)

    @property
    def busy(self) -> int:
        """The number of workers with a trial."""
        return sum(worker.number is not None for worker in self.workers.values())

    def submit(self, number: int, job_file: Path) -> None:
        """Give a job to a free worker."""
        worker = next(worker for worker in self.workers.values() if worker.number is None)
        worker.number = number
        worker.order(order="run", number=number, job=str(job_file.relative_to(self.run.path)))

    def wait(self, timeout: float) -> list[Event]:
        """The new events of all workers."""
        self.presence.beat()
        lost, self.lost = self.lost, []
        events: list[Event] = [*lost]
        for name, worker in list(self.workers.items()):
            try:
                new = _events(worker)
                events += new
                if any(isinstance(event, Ended) and event.handed_back for event in new):
                    self._gone(name, worker)
            except _UNREADABLE as error:
                self._drop(name, worker, error)
        self._look_around()
        return events

    def answer(self, number: int, word: Word) -> None:
        """Send an instruction to the worker of a trial."""
        for worker in self.workers.values():
            if worker.number == number:
                worker.order(order="word", number=number, word=word)

    def cancel(self) -> None:
        """End the trials of all workers."""
        for worker in self.workers.values():
            worker.order(order="cancel")

    def close(self, finished: bool) -> None:
        """End the session: workers leave if the study is finished, and otherwise wait for another driver."""
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
        """The remaining events of a worker that has left."""
        with suppress(*_UNREADABLE):
            self.lost += [event for event in _events(worker) if isinstance(event, Ended)]
        self._forget(name, worker)
        self.note(f"worker {name} has gone")

    def _drop(self, name: str, worker: _Worker, error: Exception) -> None:
        """Remove the folder of a worker with damaged messages; the worker then ends."""
        self._forget(name, worker)
        self.note(f"worker {name} is let go: {' '.join(str(error).split())}")

    def _forget(self, name: str, worker: _Worker) -> None:
        if worker.number is not None:
            self.lost.append(Ended(worker.number, None))
        del self.workers[name]
        shutil.rmtree(worker.folder, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove the folders of workers of earlier sessions."""
        for folder in self.run.workers_folder.iterdir():
            if folder.is_dir() and not folder.is_symlink() and not Watched(folder / ALIVE).there():
                shutil.rmtree(folder, ignore_errors=True)


def _events(worker: _Worker) -> list[Event]:
    """The events that a worker has written since the last call."""
    return [event for message in worker.events.new() if (event := _event(worker, message)) is not None]


def _event(worker: _Worker, message: dict[str, Any]) -> Event | None:
    if message.get("number") != worker.number or worker.number is None:
        return None
    if message["event"] == "epoch":
        return Epoch(worker.number, message["metrics"])
    number, worker.number = worker.number, None
    if message["event"] == "handed_back":
        return Ended(number, None, handed_back=True)
    return Ended(number, message["exit_code"], message["late"], message.get("began", True))


_TURN = 0.02  # maximum seconds of waiting for one executor while another has trials


class CompositeExecutor:
    """Runs trials in processes of this machine first, then on attached workers."""

    def __init__(self, own: Executor, attached: RemoteExecutor) -> None:
        self.own, self.attached = own, attached
        self.where: dict[int, Executor] = {}

    @property
    def capacity(self) -> int:
        """The total number of trials that may run at the same time."""
        return self.own.capacity + self.attached.capacity

    def submit(self, number: int, job_file: Path) -> None:
        """Start a trial on the first executor with free capacity."""
        here = sum(place is self.own for place in self.where.values())
        place: Executor = self.own
        if here >= self.own.capacity and self.attached.busy < len(self.attached.workers):
            place = self.attached
        self.where[number] = place
        place.submit(number, job_file)

    def wait(self, timeout: float) -> list[Event]:
        """The new events of both executors."""
        early = self.attached.wait(0.0)
        waiting = 0.0 if early else min(timeout, _TURN) if self.attached.busy else timeout
        events = [*early, *self.own.wait(waiting), *self.attached.wait(0.0)]
        for event in events:
            if isinstance(event, Ended):
                del self.where[event.number]
        return events

    def answer(self, number: int, word: Word) -> None:
        """Send an instruction to the executor of the trial; a trial that has already ended needs none."""
        if number in self.where:
            self.where[number].answer(number, word)

    def cancel(self) -> None:
        """End every trial."""
        self.own.cancel()
        self.attached.cancel()
