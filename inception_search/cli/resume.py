"""``inception-search resume``: continue a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from inception_search.cli.naming import complete_run
from inception_search.cli.shared_options import integer


def resume(
    run: Annotated[Path, typer.Argument(help="The run folder", autocompletion=complete_run)],
    trials: Annotated[
        int | None,
        integer(
            least=1,
            help="Total number of architectures, including those already trained. [default: the study's]",
        ),
    ] = None,
    space: Annotated[
        str | None, typer.Option(help="Continue in this space, an extension of the study's. [default: the study's]")
    ] = None,
    executor: Annotated[
        Literal["local", "ray"] | None,
        typer.Option(help="Where trials run from now on. [default: as before]"),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="Address of another Ray cluster: auto, host:port or ray://host:port. [default: as before]"),
    ] = None,
) -> None:
    """Continue a search that was stopped or killed, or extend a finished one."""
    from inception_search.cli.leaderboard import finish
    from inception_search.live_progress import watched
    from inception_search.study.search import resume as resume_study

    with watched() as observer:
        study = resume_study(run, observer=observer, trials=trials, space=space, executor=executor, address=address)
    finish(study)
