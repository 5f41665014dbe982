"""``inception-search search``: starts a new study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from inception_search.cli.flags import with_flags


@with_flags("search")
def search(
    config: Annotated[
        Path | None, typer.Argument(help="A YAML file of options; command-line options override it [default: none]")
    ] = None,
    **flags: Any,
) -> None:
    """Search a space by training small networks on real images, beginning with the canonical modules.

    The results, the weights and a report are written to a run folder. Numbers may be written as 10000000, 1e7 or 10M.
    Ctrl-C stops cleanly; `inception-search resume RUN` continues.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    from inception_search.cli.leaderboard import finish
    from inception_search.live_progress import watched
    from inception_search.study.config import StudyConfig

    options = StudyConfig.read(config, **given) if config else StudyConfig.of(**given)

    from inception_search.study.search import search as start

    with watched() as observer:
        study = start(options.space, config=options, observer=observer)
    finish(study)
