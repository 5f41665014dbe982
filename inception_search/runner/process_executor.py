"""Execution of trials in processes on this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_search.runner.executor import DONE, READY, SERVER_DIED, Ended, Epoch, Event, Word
from inception_search.runner.fork_server import ended_before_it_began, server_context, start, start_server
from inception_search.runner.gpu_concurrency import Packing

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess

_GRACE = 10.0  # seconds between SIGTERM and SIGKILL
_MOST_UNBEGUN = 20  # consecutive processes killed before they began, after which no more are started
_UNBEGUN_SECONDS = 30.0  # minimum time since the last process that began before the search gives up


class ProcessExecutor:
    """Runs trials in processes forked from a server with torch loaded (17 ms per trial instead of seconds).

    ``persistent``: processes are reused for further trials, keeping data and device context (useful on GPUs, where both
    take seconds). ``packing`` decides the number of concurrent trials if it is not fixed. ``device`` overrides that of
    the jobs.
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
        self.running: dict[int, _Running] = {}
        self.idle: list[_Running] = []
        self.unbegun = 0
        self.last_begun = time.monotonic()
        start_server()

    @property
    def capacity(self) -> int:
        """The number of trials that may run at the same time."""
        return self.packing.capacity if self.packing else self.fixed

    def submit(self, number: int, job_file: Path) -> None:
        """Start a trial in an idle process or a new one. Raises ProcessStartError."""
        worker = self._idle(job_file) or self._started(number, job_file)
        worker.deadline = time.monotonic() + self.trial_seconds
        self.running[number] = worker

    def wait(self, timeout: float) -> list[Event]:
        """New epochs and ended trials. Raises ProcessStartError if processes end before they begin their work."""
        handles: list[Any] = [r.connection for r in self.running.values() if not r.closed and not r.late]
        handles += [r.process.sentinel for r in self.running.values()]
        if handles:
            wait(handles, timeout)
        else:
            time.sleep(min(timeout, 0.05))
        return list(self._events())

    def answer(self, number: int, word: Word) -> None:
        """Send an instruction; :meth:`wait` detects a trial that has died in the meantime."""
        try:
            self.running[number].connection.send_bytes(word.encode())
        except OSError:
            self.running[number].closed = True

    def cancel(self) -> None:
        """Terminate every trial and every idle process."""
        everyone = [*self.running.values(), *self.idle]
        self.idle = []
        for running in everyone:
            running.process.terminate()
        for running in everyone:
            _end(running.process)
            running.close()
        self.running = {}

    def _idle(self, job_file: Path) -> _Running | None:
        """An idle process that accepts this trial, or None."""
        while self.idle:
            worker = self.idle.pop()
            with suppress(OSError):  # it has ended in the meantime
                worker.connection.send_bytes(str(job_file).encode())
                return worker
            _end(worker.process)
            worker.close()
        return None

    def _started(self, number: int, job_file: Path) -> _Running:
        """A new process for this trial."""
        from inception_search.runner.trial_process import main, serve

        context = server_context()
        ours, theirs = context.Pipe()
        target: Any = serve if self.persistent else main
        arguments = (theirs, self.device) if self.persistent else (str(job_file), theirs, self.device)
        # daemon: if this process exits without calling cancel, multiprocessing ends its trials
        process = context.Process(target=target, args=arguments, name=f"trial-{number}", daemon=True)
        try:
            start(process)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        if self.persistent:
            with suppress(OSError):  # it has already ended, which wait() detects
                ours.send_bytes(str(job_file).encode())
        return _Running(process, ours)

    def _events(self) -> Iterator[Event]:
        for number, running in list(self.running.items()):
            gone = not running.process.is_alive()  # checked first, so that all messages sent before its end can be read
            if not gone and time.monotonic() > running.deadline:
                running.end()
            message = None if running.late else running.receive()
            if message == READY:
                running.began, self.unbegun, self.last_begun = True, 0, time.monotonic()
            elif message == DONE:
                yield self._done(number)
            elif message is not None:
                yield Epoch(number, json.loads(message))
            elif gone:
                yield self._ended(number)

    def _done(self, number: int) -> Ended:
        """The event for a trial that ended while its process stays alive."""
        self.idle.append(self.running.pop(number))
        return Ended(number, 0)

    def _ended(self, number: int) -> Ended:
        running = self.running.pop(number)
        running.process.join()
        code = running.process.exitcode
        running.close()
        if not running.began:
            self._count_unbegun(code)
        return Ended(number, code, running.late, began=running.began)

    def _count_unbegun(self, code: int | None) -> None:
        """Raise ProcessStartError for a process that exited before it began, or for many consecutive killed ones.

        Another user or a scheduler may kill a few processes, or many on a busy machine where processes begin slowly.
        If all are killed for a long time, the cause is permanent.
        """
        self.unbegun += 1
        patient = time.monotonic() - self.last_begun < _UNBEGUN_SECONDS
        killed = code is None or code < 0 or code == SERVER_DIED
        if not killed or (self.unbegun >= _MOST_UNBEGUN and not patient):
            raise ended_before_it_began(code)


@dataclass
class _Running:
    process: ForkServerProcess
    connection: Connection
    deadline: float = 0.0
    closed: bool = False
    late: bool = False
    began: bool = False
    """Whether it has reported that all modules are loaded."""

    def end(self) -> None:
        """Terminate a process over its time limit; a later call kills it. The call does not wait for the end."""
        if self.late:
            self.process.kill()
        else:
            self.process.terminate()
        self.late, self.deadline = True, time.monotonic() + _GRACE

    def receive(self) -> bytes | None:
        """The next message on the connection, or None."""
        try:
            return None if self.closed or not self.connection.poll() else self.connection.recv_bytes()
        except (EOFError, OSError):
            self.closed = True
            return None

    def close(self) -> None:
        """Release the resources of an ended process."""
        self.process.join()
        self.connection.close()
        self.process.close()


def _end(process: ForkServerProcess) -> None:
    process.terminate()
    process.join(_GRACE)
    if process.is_alive():
        process.kill()
        process.join()
