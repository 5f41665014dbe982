"""``inception-search worker``: lend this terminal's, or this machine's, time to a search."""

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
        typer.Argument(
            help="The run folder of a search; may be on a disk that machines share", autocompletion=complete_run
        ),
    ],
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:<number>.")] = "auto",
    idle: Annotated[float, real(help="Leave after so many seconds without a search to work for.")] = 600.0,
) -> None:
    """Attach a worker to a search that runs (or is resumed) elsewhere; as many as you like, one trial at a time each.

    Ctrl-C detaches it: its trial goes on elsewhere from its last epoch.
    """
    from inception_search.study.attend import attend

    ended = attend(run, device=device, idle=idle, note=lambda text: typer.echo(text, err=True))
    typer.echo(f"{counted(ended, 'trial')} ended here", err=True)
