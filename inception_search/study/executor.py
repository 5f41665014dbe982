"""Where trials run: a process each, on this machine.

An executor is four calls (submit, wait, cancel, capacity) and events; the loop knows nothing else of it.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Protocol, TypeAlias

_PRELOAD = ["inception_search.study.trial_process"]
_GRACE = 10.0  # seconds between SIGTERM and SIGKILL


@dataclass(frozen=True)
class Epoch:
    """A trial has finished an epoch and waits for :meth:`Executor.answer`."""

    number: int
    metrics: dict[str, Any]


@dataclass(frozen=True)
class Ended:
    """A trial's process is gone; its result file, if it left one, is on disk. ``late``: it ran out of time."""

    number: int
    exit_code: int | None
    late: bool = False


Event: TypeAlias = Epoch | Ended


class Executor(Protocol):
    """What the loop needs of a place where trials run."""

    capacity: int

    def submit(self, number: int, job_file: Path) -> None:
        """Start the job in ``job_file``."""

    def wait(self, timeout: float) -> list[Event]:
        """What happened; returns when something has, or after ``timeout`` seconds."""

    def answer(self, number: int, go_on: bool) -> None:
        """Let a trial that reported an epoch go on, or stop there."""

    def cancel(self) -> None:
        """End every running trial; their results are lost."""


class LocalExecutor:
    """Processes forked from a server that has torch loaded already (17 ms a trial instead of seconds)."""

    def __init__(self, capacity: int, trial_seconds: float) -> None:
        self.capacity = capacity
        self.trial_seconds = trial_seconds
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(_PRELOAD)
        self.running: dict[int, _Running] = {}

    def submit(self, number: int, job_file: Path) -> None:
        """Start a trial's process."""
        from inception_search.study.trial_process import main

        ours, theirs = self.context.Pipe()
        process = self.context.Process(target=main, args=(str(job_file), theirs), name=f"trial-{number}")
        with _without_main():
            process.start()
        theirs.close()
        self.running[number] = _Running(process, ours, time.monotonic() + self.trial_seconds)

    def wait(self, timeout: float) -> list[Event]:
        """Epochs reported and processes ended."""
        handles: list[Any] = [r.connection for r in self.running.values() if not r.closed]
        handles += [r.process.sentinel for r in self.running.values()]
        if handles:
            wait(handles, timeout)
        return list(self._events())

    def _events(self) -> Iterator[Event]:
        for number, running in list(self.running.items()):
            metrics = running.receive()
            if metrics is not None:
                yield Epoch(number, metrics)
            elif not running.process.is_alive():
                yield self._ended(number, late=False)
            elif time.monotonic() > running.deadline:
                _end(running.process)
                yield self._ended(number, late=True)

    def _ended(self, number: int, late: bool) -> Ended:
        running = self.running.pop(number)
        running.process.join()
        running.connection.close()
        return Ended(number, running.process.exitcode, late)

    def answer(self, number: int, go_on: bool) -> None:
        """Send "go on" or "stop"; a trial that has died meanwhile is seen by :meth:`wait`."""
        try:
            self.running[number].connection.send_bytes(b"go on" if go_on else b"stop")
        except OSError:
            self.running[number].closed = True

    def cancel(self) -> None:
        """Terminate every trial."""
        for running in self.running.values():
            running.process.terminate()
        for number in list(self.running):
            _end(self.running[number].process)
            self._ended(number, late=False)


@contextmanager
def _without_main() -> Iterator[None]:
    """Keep the child from importing the caller's script again, which would start the search a second time.

    multiprocessing does so to find functions defined there; a trial's function is in this package.
    """
    main = sys.modules["__main__"]
    kept = {name: getattr(main, name) for name in ("__file__", "__spec__") if hasattr(main, name)}
    vars(main).pop("__file__", None)
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(kept)


@dataclass
class _Running:
    process: ForkServerProcess
    connection: Connection
    deadline: float
    closed: bool = False

    def receive(self) -> dict[str, Any] | None:
        """The metrics waiting on the connection, or None."""
        try:
            if self.closed or not self.connection.poll():
                return None
            metrics: dict[str, Any] = json.loads(self.connection.recv_bytes())
            return metrics
        except (EOFError, OSError):
            self.closed = True
            return None


def _end(process: ForkServerProcess) -> None:
    process.terminate()
    process.join(_GRACE)
    if process.is_alive():
        process.kill()
        process.join()
