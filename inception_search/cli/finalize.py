"""``inception-search finalize``: the best networks of a study trained in full and tested once."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.status import Status
from rich.table import Table

from inception_search.cli.naming import complete_run
from inception_search.cli.numbers import integer, real
from inception_search.cli.output import stdout_console
from inception_search.study.finals.observer import FinalsObserver

if TYPE_CHECKING:
    from inception_search.study.finals.record import FinalRecord
    from inception_search.study.finals.result import Finals

INTERRUPTED = 130


def finalize(
    run: Annotated[Path, typer.Argument(help="The run folder", autocompletion=complete_run)],
    top: Annotated[int, integer(least=1, help="So many of the networks found, the best by validation.")] = 3,
    baselines: Annotated[
        int | None, integer(least=0, help="So many of the canonical ones (default: all that are complete).")
    ] = None,
    seeds: Annotated[int, integer(least=1, help="Trainings of each network.")] = 3,
    epochs: Annotated[int | None, integer(least=1, help="Default: the study's.")] = None,
    train_images: Annotated[int | None, integer(least=1, help="Default: all.")] = None,
    validation_images: Annotated[int | None, integer(least=1, help="Default: the dataset's own.")] = None,
    image_size: Annotated[int | None, integer(least=1, help="Pixels (default: the study's).")] = None,
    width: Annotated[float, real(help="Factor on every width.")] = 1.0,
    depth: Annotated[float, real(help="Factor on every repeat.")] = 1.0,
    batch_size: Annotated[int | None, integer(least=2, help="Default: the study's.")] = None,
    augment: Annotated[bool | None, typer.Option("--augment/--no-augment", help="Default: the study's.")] = None,
    max_macs: Annotated[
        int | None,
        integer(help="Multiply-adds, at the study's image size (default: the study's)."),
    ] = None,
    workers: Annotated[int | None, integer(least=1, help="Trainings at a time (default: the study's).")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:<number> (default: the study's).")] = None,
    together: Annotated[
        bool | None,
        typer.Option("--together/--apart", help="All seeds of a network at once (default: on a GPU, where faster)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train the best found and the canonical networks of a study in full, test them once, and say what that proves."""
    from inception_search.study.finalize import finalize as finalize_it

    options: dict[str, Any] = {
        "top": top,
        "baselines": baselines,
        "seeds": seeds,
        "epochs": epochs,
        "train_images": train_images,
        "validation_images": validation_images,
        "image_size": image_size,
        "width": width,
        "depth": depth,
        "batch_size": batch_size,
        "augment": augment,
        "max_macs": max_macs,
        "workers": workers,
        "device": device,
        "together": together,
    }
    console = Console(stderr=True)
    with console.status("starting") as status:
        finals = finalize_it(run, observer=Watcher(console, status), **options)
    if not finals.finished:
        typer.echo("stopped; the same command goes on", err=True)
        raise typer.Exit(INTERRUPTED)
    if as_json:
        typer.echo(json.dumps(finals.data(), indent=1))
    else:
        _print(finals)


class Watcher(FinalsObserver):
    """A line for every training, and on a terminal what is under way; test accuracies wait until all are there."""

    def __init__(self, console: Console, status: Status) -> None:
        self.console, self.status = console, status
        self.done, self.total, self.epochs = 0, 0, 0

    def started(self, done: int, left: int, epochs: int) -> None:
        """The trainings begin, or go on."""
        self.done, self.total, self.epochs = done, done + left, epochs

    def epoch(self, name: str, metrics: dict[str, Any]) -> None:
        """What is shown while it changes."""
        self.status.update(f"{self.done}/{self.total}  {name} ({metrics['epoch']}/{self.epochs})")

    def recorded(self, name: str, record: FinalRecord) -> None:
        """A line that stays."""
        self.done += 1
        came_to = f"failed: {record.reason}"
        if record.validation_accuracy is not None and record.state == "complete":
            came_to = f"validation {100 * record.validation_accuracy:.2f} %  {record.seconds:5.1f} s"
        self._say(f"{self.done:>4}/{self.total}  {name:<24} {came_to}")

    def note(self, text: str) -> None:
        """Something a person should know."""
        self._say(f"note: {text}")

    def _say(self, line: str) -> None:
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)


def _print(finals: Finals) -> None:
    from inception_search.study.finals.table import COLUMNS, LEFT

    console = stdout_console()
    table = Table(title="final trainings", title_justify="left", box=None, pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, justify="left" if name in LEFT else "right", no_wrap=True)
    for row in finals.rows:
        table.add_row(*row.cells())
    console.print(table)
    said = "\n".join(f"{sentence[0].upper()}{sentence[1:]}." for sentence in finals.sentences)
    console.print(f"\n{said}", highlight=False, markup=False, soft_wrap=not sys.stdout.isatty())
    for path in finals.files:
        typer.echo(str(path))
