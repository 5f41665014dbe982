"""The interface between the search loop and the place where trials run: calls, answers and events."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

BAD_DISK = 74
"""Exit code of a trial's process that could not read its data or write into the run folder (EX_IOERR)."""
SERVER_DIED = 255
"""The exit code that multiprocessing reports for a process whose fork server has ended."""

READY, DONE = b"ready", b"done"
"""Messages from a trial's process besides epochs: it has loaded its modules; it has ended a trial and is idle."""

Word: TypeAlias = Literal["go on", "stop", "pause"]
"""The instruction for a trial after an epoch: continue, stop, or pause so that it can continue later."""


@dataclass(frozen=True)
class Epoch:
    """A trial has finished an epoch and waits for :meth:`Executor.answer`."""

    number: int
    metrics: dict[str, Any]


@dataclass(frozen=True)
class Ended:
    """A trial's process has ended; its result file, if any, is on disk."""

    number: int
    exit_code: int | None
    late: bool = False
    """Whether it exceeded its time limit."""
    began: bool = True
    """Whether it began its work. If not, its end does not count as a failure of the trial."""
    handed_back: bool = False
    """Whether a worker that was stopped returned the trial."""


Event: TypeAlias = Epoch | Ended


class Executor(Protocol):
    """A place where trials run, as used by the search loop."""

    @property
    def capacity(self) -> int:
        """The current number of trials that may run at the same time."""

    def submit(self, number: int, job_file: Path) -> None:
        """Start the job in ``job_file``. Raises ProcessStartError if no process can be started."""

    def wait(self, timeout: float) -> list[Event]:
        """The new events; returns at the first, or after ``timeout`` seconds. May raise ProcessStartError."""

    def answer(self, number: int, word: Word) -> None:
        """Send an instruction to a trial that reported an epoch."""

    def cancel(self) -> None:
        """End every running trial."""
