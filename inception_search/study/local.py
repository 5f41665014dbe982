"""Trials as processes of this machine."""

from __future__ import annotations

import json
import multiprocessing
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from inception_search.study.executor import Ended, Epoch, Event

_PRELOAD = ["inception_search.study.preload"]
_GRACE = 10.0  # seconds between SIGTERM and SIGKILL


class LocalExecutor:
    """Processes forked from a server that has torch loaded already (17 ms a trial instead of seconds)."""

    def __init__(self, capacity: int, trial_seconds: float) -> None:
        self.capacity = capacity
        self.trial_seconds = trial_seconds
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(_PRELOAD)
        self.running: dict[int, _Running] = {}
        self.unborn: list[Ended] = []
        with suppress(OSError), _deaf_to_interrupts():
            pass  # the server loads torch while the search gets ready

    def submit(self, number: int, job_file: Path) -> None:
        """Start a trial's process."""
        from inception_search.study.trial_process import main

        ours, theirs = self.context.Pipe()
        # daemon: should this process end in a way that skips cancel, it ends its trials first
        process = self.context.Process(target=main, args=(str(job_file), theirs), name=f"trial-{number}", daemon=True)
        try:
            with _without_main(), _deaf_to_interrupts():
                process.start()
        except (OSError, EOFError):  # no more processes or files; or the server has just died
            ours.close()
            self.unborn.append(Ended(number, None))
        else:
            self.running[number] = _Running(process, ours, time.monotonic() + self.trial_seconds)
        finally:
            theirs.close()

    def wait(self, timeout: float) -> list[Event]:
        """Epochs reported and processes ended."""
        handles: list[Any] = [r.connection for r in self.running.values() if not r.closed]
        handles += [r.process.sentinel for r in self.running.values()]
        if handles:
            wait(handles, 0.0 if self.unborn else timeout)
        unborn, self.unborn = self.unborn, []
        return [*unborn, *self._events()]

    def answer(self, number: int, go_on: bool) -> None:
        """Send "go on" or "stop"; a trial that has died meanwhile is seen by :meth:`wait`."""
        try:
            self.running[number].connection.send_bytes(b"go on" if go_on else b"stop")
        except OSError:
            self.running[number].closed = True

    def cancel(self) -> None:
        """Terminate every trial."""
        self.unborn = []
        for running in self.running.values():
            running.process.terminate()
        for number in list(self.running):
            _end(self.running[number].process)
            self._ended(number, late=False)

    def _events(self) -> Iterator[Event]:
        for number, running in list(self.running.items()):
            gone = not running.process.is_alive()  # asked first: what it sent before is then there to be read
            if not gone and time.monotonic() > running.deadline:
                _end(running.process)
                yield self._ended(number, late=True)
                continue
            metrics = running.receive()
            if metrics is not None:
                yield Epoch(number, metrics)
            elif gone:
                yield self._ended(number, late=False)

    def _ended(self, number: int, late: bool) -> Ended:
        running = self.running.pop(number)
        running.process.join()
        code = running.process.exitcode
        running.connection.close()
        running.process.close()
        return Ended(number, code, late)


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


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Start the server with SIGINT blocked, and so are its trials: Ctrl-C goes to all of them, and is the driver's.

    The server would else die of it while it still loads torch, with a traceback on the user's terminal.
    """
    resource_tracker.ensure_running()  # first: it lets SIGINT through again when it has started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(process: ForkServerProcess) -> None:
    process.terminate()
    process.join(_GRACE)
    if process.is_alive():
        process.kill()
        process.join()
