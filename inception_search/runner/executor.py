"""Where trials run, as the loop sees it: four calls (submit, wait, cancel, capacity), an answer, and events."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

BAD_DISK = 74
"""Exit code of a trial's process that could not read its data or write into the run folder (EX_IOERR)."""
SERVER_DIED = 255
"""What multiprocessing gives for the exit code of a process whose fork server is gone."""

READY, DONE = b"ready", b"done"
"""What a trial's process sends besides epochs: it has loaded all it needs; a trial has ended and it takes another."""

Word: TypeAlias = Literal["go on", "stop", "pause"]
"""What a trial does after an epoch: go on, end there, or end there so that it can go on later."""


@dataclass(frozen=True)
class Epoch:
    """A trial has finished an epoch and waits for :meth:`Executor.answer`."""

    number: int
    metrics: dict[str, Any]


@dataclass(frozen=True)
class Ended:
    """A trial's process is gone; its result file, if it left one, is on disk."""

    number: int
    exit_code: int | None
    late: bool = False
    """It ran out of time."""
    began: bool = True
    """It came to its work: one that did not says nothing about the trial."""
    handed_back: bool = False
    """A worker that was stopped gave the trial back."""


Event: TypeAlias = Epoch | Ended


class Executor(Protocol):
    """What the loop needs of a place where trials run."""

    @property
    def capacity(self) -> int:
        """How many trials it takes at a time, now."""

    def submit(self, number: int, job_file: Path) -> None:
        """Start the job in ``job_file``. Raises ProcessStartError where no process can be started."""

    def wait(self, timeout: float) -> list[Event]:
        """What happened; returns when something has, or after ``timeout`` seconds. May raise ProcessStartError."""

    def answer(self, number: int, word: Word) -> None:
        """Tell a trial that reported an epoch what to do."""

    def cancel(self) -> None:
        """End every running trial."""
