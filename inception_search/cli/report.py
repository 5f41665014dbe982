"""``inception-search report``: write the report and figures of a run folder."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from inception_search.cli.naming import complete_run
from inception_search.cli.shared_options import integer


def report(
    run: Annotated[
        Path, typer.Argument(help="The run folder; its search may still be running", autocompletion=complete_run)
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Output folder, or an .html file for the page alone. [default: the run folder]"
        ),
    ] = None,
    top: Annotated[int, integer(least=1, help="Number of rows of the leaderboard.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; write files only with --out.")] = False,
) -> None:
    """Print the leaderboard of a study and write its report and figures.

    Exits with code 1 if a file of the run folder is damaged or missing; the report is written all the same.
    """
    from inception_search.cli.leaderboard import print_files, print_front, print_leaderboard, warn
    from inception_search.cli.output import print_json
    from inception_search.errors import RunFolderError, StorageFullError, TrainingError
    from inception_search.report.study_report import study_report, write_study_report
    from inception_search.store.run_folder import RunFolder
    from inception_search.study.config import StudyConfig
    from inception_search.study.damage import damage
    from inception_search.study.progress import progress
    from inception_search.study.study import Study

    folder = RunFolder.open(run)
    config = StudyConfig.read(folder.study_file)  # raises before anything is written if the file is damaged
    records = folder.lean_records()
    state = progress(folder, config, records).words(datetime.now(UTC))
    if not records:
        hint = state or f"`inception-search resume {shlex.quote(str(run))}` continues"
        raise TrainingError("the study has no trial to report yet", path=str(folder.trials_file), hint=hint)
    found = damage(folder)
    if as_json:
        print_json({**study_report(folder, top), "state": state or None, "damage": found})
    else:
        print_leaderboard(records, top)
        print_front(Study.open(run), records)
        if state:
            typer.echo(state)
    if out is not None or not as_json:
        try:
            written = write_study_report(folder, out, records)
        except RunFolderError as error:
            if out is None and not isinstance(error, StorageFullError):
                error.hint = "write it to another place with -o FOLDER"
            raise
        print_files(written, err=as_json)
    warn(found)
    if found:
        raise typer.Exit(1)
