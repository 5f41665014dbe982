"""Live progress of a search or of final trainings, for the command line and for Python.

A bar in a terminal (on stderr), a widget in a notebook that has ipywidgets, and one line per trial elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task
from rich.status import Status as SpinnerStatus
from rich.table import Column
from rich.text import Text

from inception_search.errors import one_line
from inception_search.progress_console import progress_console
from inception_search.store import query
from inception_search.store.record import TRAINED, TrialRecord, percent, trial_name
from inception_search.study.config import StudyConfig
from inception_search.study.final.observer import FinalsObserver
from inception_search.study.observer import Observer

if TYPE_CHECKING:
    from inception_search.study.final.record import FinalRecord

SHOWN = 4  # running trials that are named


@contextmanager
def watched(console: Console | None = None) -> Iterator[Observer]:
    """An observer that shows the progress of a search while the context lasts."""
    watcher = Watcher(console or progress_console())
    with watcher.progress:
        yield watcher


@contextmanager
def watched_finals(console: Console | None = None) -> Iterator[FinalsObserver]:
    """An observer that shows the progress of final trainings while the context lasts."""
    console = console or progress_console()
    if console.is_jupyter:  # a spinner would replace the lines before it
        yield FinalsWatcher(console, None)
        return
    with console.status("starting") as status:
        yield FinalsWatcher(console, status)


class Status(ProgressColumn):
    """One line with count, best trial, time left and running trials, cut at the terminal's width."""

    def __init__(self) -> None:
        super().__init__(table_column=Column(no_wrap=True, overflow="ellipsis"))

    def render(self, task: Task) -> Text:
        """The line as text. The time left counts down between trials; it is missing until one is trained."""
        fields = task.fields
        left = "" if fields["end"] is None else time_left(fields["end"] - time.monotonic())
        count = "" if task.total is None else f"{task.completed:.0f}/{task.total:.0f}"
        parts = (count, fields["best"], left, task.description)
        return Text("  ".join(part for part in parts if part), no_wrap=True, overflow="ellipsis")


class Watcher(Observer):
    """Shows the events of a search."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.progress = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=16),
            Status(),
            console=console,
            transient=True,
            refresh_per_second=4,
            disable=not (console.is_terminal or console.is_jupyter),
        )
        self.task = self.progress.add_task("starting", total=None, best="", end=None)
        self.begun = time.monotonic()
        self.total, self.before, self.epochs = 0, 0, 0
        self.trained: set[int] = set()
        self.best: TrialRecord | None = None
        self.running: dict[int, str] = {}

    def started(self, config: StudyConfig, records: Sequence[TrialRecord]) -> None:
        """The search begins, or continues after the trials in ``records``."""
        self.begun = time.monotonic()
        self.total, self.epochs = config.trials, config.training.epochs
        self.trained = {r.number for r in records if r.state in TRAINED and r.repeat_of is None}
        self.before = self.done
        self.best = query.best(records)
        self._show()

    def launched(self, number: int, label: str | None) -> None:
        """A trial's process starts."""
        self.running[number] = label or f"trial {number}"
        self._show()

    def epoch(self, number: int, metrics: dict[str, Any]) -> None:
        """A trial has finished an epoch."""
        name = self.running.get(number, f"trial {number}").split(" (")[0]
        self.running[number] = f"{name} ({metrics['epoch']}/{self.epochs})"
        self._show()

    def recorded(self, record: TrialRecord) -> None:
        """A trial has ended; print a line for it if anything was trained."""
        self.running.pop(record.number, None)
        if record.state in TRAINED:
            given_up = record.number in self.trained and record.state == "pruned"
            self.trained |= {record.number} if record.repeat_of is None else set()
            self.best = query.best([record, *([self.best] if self.best else [])])
            if not given_up:  # it already has a line, with "paused"
                _print(self.console, self._line(record))
        self._show()

    def note(self, text: str) -> None:
        """Print a message."""
        _print(self.console, f"note: {one_line(text)}")

    def ask_secret(self, question: str) -> str | None:
        """Ask for a password; the bar pauses meanwhile."""
        self.progress.stop()
        try:
            return super().ask_secret(question)
        finally:
            self.progress.start()

    @property
    def done(self) -> int:
        """The number of architectures trained, fully or in part."""
        return len(self.trained)

    def _line(self, record: TrialRecord) -> str:
        name = f"{self.done:>4}/{self.total}  {trial_name(record):<14}"
        if record.state == "failed":
            return f"{name} failed: {record.reason}"
        value = record.reached or 0.0
        stopped = {"pruned": "stopped", "paused": "paused"}.get(record.state)
        note = f"  {stopped} at epoch {record.curve[-1].epoch}" if stopped else ""
        note += f"  seed {record.seed} of {record.repeat_of}" if record.repeat_of is not None else ""
        macs = f"{record.cost['macs'] / 1e6:6.2f} M MACs"
        return f"{name} {percent(value):>8}  {macs}  {record.seconds:5.1f} s{note}"

    def _show(self) -> None:
        best = f"best {percent(self.best.score or 0.0)} ({trial_name(self.best)})" if self.best else ""
        names = [self.running[number] for number in sorted(self.running)]
        more = [f"{len(names) - SHOWN} more"] if len(names) > SHOWN else []
        work = ", ".join(names[:SHOWN] + more) or "searching"
        self.progress.update(
            self.task, total=self.total, completed=self.done, best=best, description=work, end=self._end()
        )

    def _end(self) -> float | None:
        """The time (monotonic clock) when the last trial will be trained, at the pace so far; None if unknown."""
        new = self.done - self.before
        if not new:
            return None
        now = time.monotonic()
        return now + (now - self.begun) / new * max(0, self.total - self.done)


class FinalsWatcher(FinalsObserver):
    """Prints a line for every training and, on a terminal, shows the running one; tests come after all trainings."""

    def __init__(self, console: Console, status: SpinnerStatus | None) -> None:
        self.console, self.status = console, status
        self.done, self.total, self.epochs = 0, 0, 0

    def started(self, done: int, left: int, epochs: int) -> None:
        """The trainings begin, or continue."""
        self.done, self.total, self.epochs = done, done + left, epochs

    def epoch(self, name: str, metrics: dict[str, Any]) -> None:
        """Update the line of the running training."""
        if self.status is not None:
            self.status.update(f"{self.done}/{self.total}  {name} ({metrics['epoch']}/{self.epochs})")

    def recorded(self, name: str, record: FinalRecord) -> None:
        """Print the line of a finished training."""
        self.done += 1
        came_to = f"failed: {record.reason}"
        if record.validation_accuracy is not None and record.state == "complete":
            came_to = f"validation {100 * record.validation_accuracy:.2f} %  {record.seconds:5.1f} s"
        _print(self.console, f"{self.done:>4}/{self.total}  {name:<24} {came_to}")

    def note(self, text: str) -> None:
        """Print a message."""
        _print(self.console, f"note: {one_line(text)}")


def _print(console: Console, line: str) -> None:
    """Print a line without markup; the terminal wraps it."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def time_left(seconds: float) -> str:
    """``40 s left``, ``12 min left``, ``3 h 05 min left``."""
    whole = max(0, round(seconds))
    if whole < 90:
        return f"{whole} s left"
    minutes = round(whole / 60)
    return f"{minutes} min left" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min left"
