"""``inception-search worker``: trains trials of a search that runs elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inception_search.cli.naming import complete_run
from inception_search.cli.shared_options import real
from inception_search.numbers import counted


def worker(
    run: Annotated[
        Path,
        typer.Argument(help="The run folder of a search; it may be on a shared disk", autocompletion=complete_run),
    ],
    device: Annotated[str, typer.Option(help="Device of the trials: auto, cpu, cuda or cuda:<number>.")] = "auto",
    idle: Annotated[float, real(help="Exit after this many seconds without a running search.")] = 600.0,
) -> None:
    """Attach a worker process to a running search, from another terminal or machine.

    A worker trains one trial at a time; a search may have any number of workers. Ctrl-C detaches the worker: its
    trial continues in another process from its last epoch.
    """
    from inception_search.study.attend import attend

    ended = attend(run, device=device, idle=idle, note=lambda text: typer.echo(text, err=True))
    typer.echo(f"{counted(ended, 'trial')} ended on this worker", err=True)
