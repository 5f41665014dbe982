"""``inception-search search``: a new study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from inception_search.cli.flags import with_flags


@with_flags("search")
def search(
    config: Annotated[Path | None, typer.Argument(help="A YAML file of options; flags win over it")] = None,
    **flags: Any,
) -> None:
    """Search a space: train proxies on real images, canonical modules first; leave a run folder with a report.

    Ctrl-C stops in order; inception-search resume RUN goes on.
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
