"""Watching a search: the bar on stderr while it runs, the leaderboard on stdout when it ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from inception_search.figures.table import leaderboard_rows, percent, points, trial_name
from inception_search.store import query
from inception_search.store.record import TrialRecord
from inception_search.study.observer import Observer

if TYPE_CHECKING:
    from inception_search.study.study import Study

TRAINED = ("complete", "pruned", "failed")


@contextmanager
def watched(epochs: int | None = None) -> Iterator[Observer]:
    """An observer that shows a live bar on a terminal, one line per trial elsewhere; both on stderr."""
    console = Console(stderr=True)
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[best]}"),
        TextColumn("{task.fields[left]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with progress:
        yield _Watcher(progress, console, epochs)


class _Watcher(Observer):
    def __init__(self, progress: Progress, console: Console, epochs: int | None) -> None:
        self.progress, self.console, self.epochs = progress, console, epochs
        self.task = progress.add_task("starting", total=None, best="", left="")
        self.begun = time.monotonic()
        self.total, self.done, self.before = 0, 0, 0
        self.best: TrialRecord | None = None
        self.running: dict[int, str] = {}

    def started(self, total: int, done: int) -> None:
        self.begun = time.monotonic()
        self.total, self.done, self.before = total, done, done
        self.progress.update(self.task, total=total, completed=done)

    def launched(self, number: int, label: str | None) -> None:
        self.running[number] = label or f"trial {number}"
        self._describe()

    def epoch(self, number: int, metrics: dict[str, Any]) -> None:
        name = self.running.get(number, f"trial {number}").split(" (")[0]
        of = f"/{self.epochs}" if self.epochs else ""
        self.running[number] = f"{name} ({metrics['epoch']}{of})"
        self._describe()

    def recorded(self, record: TrialRecord) -> None:
        self.running.pop(record.number, None)
        if record.state in TRAINED:
            self.done += 1
            self.console.print(self._line(record), highlight=False, markup=False)
        self.best = query.best([record, *([self.best] if self.best else [])])
        best = f"best {percent(self.best.value or 0.0)} ({trial_name(self.best)})" if self.best else ""
        self.progress.update(self.task, completed=self.done, best=best, left=self._left())
        self._describe()

    def note(self, text: str) -> None:
        self.console.print(f"note: {text}", highlight=False, markup=False)

    def _line(self, record: TrialRecord) -> str:
        name = f"{self.done:>4}/{self.total}  {trial_name(record):<14}"
        if record.state == "failed":
            return f"{name} failed: {record.reason}"
        value = record.value if record.value is not None else record.curve[-1].validation_accuracy
        note = f"  stopped: {record.reason}" if record.state == "pruned" else ""
        macs = f"{record.cost['macs'] / 1e6:6.2f} M MACs"
        return f"{name} {percent(value):>8}  {macs}  {record.seconds:5.1f} s{note}"

    def _left(self) -> str:
        new = self.done - self.before
        if not new:
            return ""
        seconds = (time.monotonic() - self.begun) / new * (self.total - self.done)
        return f"about {seconds / 60:.0f} min left" if seconds >= 90 else f"about {seconds:.0f} s left"

    def _describe(self) -> None:
        self.progress.update(self.task, description=", ".join(self.running.values()) or "searching")


def print_leaderboard(records: Iterable[TrialRecord], top: int = 10) -> None:
    """The best trials and every canonical baseline, as a table on stdout."""
    records = list(records)
    table = Table(title="leaderboard", title_justify="left", box=None, pad_edge=False)
    for name in ("rank", "network", "accuracy", "vs best baseline", "MACs", "parameters", "arch_id"):
        table.add_column(name, justify="left" if name in ("network", "arch_id") else "right", no_wrap=True)
    for row in leaderboard_rows(records, top):
        kind = f"{row.name} (canonical)" if row.baseline else row.name
        table.add_row(
            str(row.rank),
            kind,
            percent(row.accuracy),
            points(row.versus_baseline),
            f"{row.macs:,}" if row.macs is not None else "",
            f"{row.params:,}" if row.params is not None else "",
            row.arch_id or "",
        )
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    counts = query.counts(records)
    said = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
    console.print(f"\ntrials: {said or 'none'}; accuracy is on the validation images", highlight=False)


def finish(study: Study) -> None:
    """Leaderboard, report, and where everything is; exit code 130 when the search was stopped."""
    from inception_search.api import write_study_report

    records = study.records
    print_leaderboard(records)
    if query.best(records) is not None:
        for path in write_study_report(study.run):
            typer.echo(str(path))
    typer.echo(str(study.run.trials_file))
    if not study.finished:
        typer.echo(f"stopped; go on with: inception-search resume {study.path}", err=True)
        raise typer.Exit(130)
