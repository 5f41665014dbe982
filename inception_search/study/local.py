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

from inception_search.study.executor import Ended, Epoch, Event, Word
from inception_search.study.packing import Packing

_PRELOAD = ["inception_search.study.preload"]
_GRACE = 10.0  # seconds between SIGTERM and SIGKILL
_DONE = b"done"


def start_server() -> None:
    """Start the process that trials are forked from, if it is not there: it loads torch while a search gets ready."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(_PRELOAD)
    with suppress(OSError), _deaf_to_interrupts():
        pass


class LocalExecutor:
    """Processes forked from a server that has torch loaded already (17 ms a trial instead of seconds).

    ``persistent``: a process does one trial after another, and data and device context stay (for GPUs, where they
    cost seconds). ``packing`` says how many run at a time, where that is not fixed. ``device`` wins over the jobs'.
    """

    def __init__(
        self,
        capacity: int,
        trial_seconds: float,
        *,
        persistent: bool = False,
        packing: Packing | None = None,
        device: str | None = None,
    ) -> None:
        self.fixed, self.trial_seconds = capacity, trial_seconds
        self.persistent, self.packing, self.device = persistent, packing, device
        self.context = multiprocessing.get_context("forkserver")
        self.running: dict[int, _Running] = {}
        self.idle: list[_Running] = []
        self.unborn: list[Ended] = []
        start_server()

    @property
    def capacity(self) -> int:
        """How many trials run at a time."""
        return self.packing.capacity if self.packing else self.fixed

    def submit(self, number: int, job_file: Path) -> None:
        """Start a trial, in a process of its own or in one that is idle."""
        try:
            worker = self._idle() or self._born(number, job_file)
            if self.persistent:
                worker.connection.send_bytes(str(job_file).encode())
        except (OSError, EOFError):  # no more processes or files; or the server has just died
            self.unborn.append(Ended(number, None))
            return
        worker.deadline = time.monotonic() + self.trial_seconds
        self.running[number] = worker

    def wait(self, timeout: float) -> list[Event]:
        """Epochs reported and trials ended."""
        handles: list[Any] = [r.connection for r in self.running.values() if not r.closed and not r.late]
        handles += [r.process.sentinel for r in self.running.values()]
        if handles:
            wait(handles, 0.0 if self.unborn else timeout)
        elif not self.unborn:
            time.sleep(min(timeout, 0.05))
        unborn, self.unborn = self.unborn, []
        return [*unborn, *self._events()]

    def answer(self, number: int, word: Word) -> None:
        """Send a word; a trial that has died meanwhile is seen by :meth:`wait`."""
        try:
            self.running[number].connection.send_bytes(word.encode())
        except OSError:
            self.running[number].closed = True

    def cancel(self) -> None:
        """Terminate every trial, and what waits for one."""
        self.unborn = []
        everyone = [*self.running.values(), *self.idle]
        self.idle = []
        for running in everyone:
            running.process.terminate()
        for running in everyone:
            _end(running.process)
            running.close()
        self.running = {}

    def _idle(self) -> _Running | None:
        while self.idle:
            worker = self.idle.pop()
            if worker.process.is_alive():
                return worker
            worker.close()
        return None

    def _born(self, number: int, job_file: Path) -> _Running:
        from inception_search.study.trial_process import main, serve

        ours, theirs = self.context.Pipe()
        target: Any = serve if self.persistent else main
        arguments = (theirs, self.device) if self.persistent else (str(job_file), theirs, self.device)
        # daemon: should this process end in a way that skips cancel, it ends its trials first
        process = self.context.Process(target=target, args=arguments, name=f"trial-{number}", daemon=True)
        try:
            with _without_main(), _deaf_to_interrupts():
                process.start()
        except (OSError, EOFError):
            ours.close()
            raise
        finally:
            theirs.close()
        return _Running(process, ours)

    def _events(self) -> Iterator[Event]:
        for number, running in list(self.running.items()):
            gone = not running.process.is_alive()  # asked first: what it sent before is then there to be read
            if not gone and time.monotonic() > running.deadline:
                running.end()
            message = None if running.late else running.receive()
            if message == _DONE:
                yield self._done(number)
            elif message is not None:
                yield Epoch(number, json.loads(message))
            elif gone:
                yield self._ended(number)

    def _done(self, number: int) -> Ended:
        """A trial has ended whose process lives on."""
        self.idle.append(self.running.pop(number))
        return Ended(number, 0)

    def _ended(self, number: int) -> Ended:
        running = self.running.pop(number)
        running.process.join()
        code = running.process.exitcode
        running.close()
        return Ended(number, code, running.late)


@dataclass
class _Running:
    process: ForkServerProcess
    connection: Connection
    deadline: float = 0.0
    closed: bool = False
    late: bool = False

    def end(self) -> None:
        """Ask a process that is out of time to end; the next time, some time later, make it. Nobody waits for it."""
        if self.late:
            self.process.kill()
        else:
            self.process.terminate()
        self.late, self.deadline = True, time.monotonic() + _GRACE

    def receive(self) -> bytes | None:
        """The message waiting on the connection, or None."""
        try:
            return None if self.closed or not self.connection.poll() else self.connection.recv_bytes()
        except (EOFError, OSError):
            self.closed = True
            return None

    def close(self) -> None:
        """Let go of a process that has ended."""
        self.process.join()
        self.connection.close()
        self.process.close()


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
