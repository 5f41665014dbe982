"""``inception-search report``: the report and pictures of a run folder, made anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inception_search.cli.leaderboard import nothing_trained, print_files, print_front, print_leaderboard


def report(
    run: Annotated[Path, typer.Argument(help="The run folder")],
    top: Annotated[int, typer.Option(min=1, help="Rows of the leaderboard.")] = 10,
) -> None:
    """Print the leaderboard of a study and write its report and pictures again."""
    from inception_search.api import write_study_report
    from inception_search.store.query import best
    from inception_search.store.run_folder import RunFolder
    from inception_search.study.config import StudyConfig
    from inception_search.study.study import Study

    folder = RunFolder.open(run)
    StudyConfig.read(folder.study_file)  # a damaged one is an error before anything is written
    records = folder.records()
    print_leaderboard(records, top)
    print_front(Study.open(run))
    if best(records) is None:
        raise nothing_trained(folder.trials_file, records)
    print_files(write_study_report(folder))
