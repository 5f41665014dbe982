"""``inception-search resume``: going on with a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inception_search.cli.naming import complete_run
from inception_search.cli.shared_options import integer


def resume(
    run: Annotated[Path, typer.Argument(help="The run folder", autocompletion=complete_run)],
    trials: Annotated[
        int | None,
        integer(least=1, help="Distinct architectures to train in all, those already trained included. [as before]"),
    ] = None,
    space: Annotated[str | None, typer.Option(help="Go on in this space: the study's own, grown.")] = None,
) -> None:
    """Go on with a search that was stopped or killed, or make a finished one longer."""
    from inception_search.cli.leaderboard import finish
    from inception_search.live_progress import watched
    from inception_search.study.search import resume as go_on

    with watched() as observer:
        study = go_on(run, observer=observer, trials=trials, space=space)
    finish(study)
