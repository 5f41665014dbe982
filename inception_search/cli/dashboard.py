"""``inception-search dashboard``: a study in optuna-dashboard, with a figure of every module."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inception_search.cli.naming import complete_run
from inception_search.cli.shared_options import integer, real
from inception_search.errors import one_line
from inception_search.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inception_search.optuna_bridge.dashboard_server import DashboardServer
    from inception_search.store.record import TrialRecord


def dashboard(
    run: Annotated[
        Path, typer.Argument(help="The run folder; its search may still be running", autocompletion=complete_run)
    ],
    port: Annotated[int, integer(least=1, most=65535, help="Port to listen on.")] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0: all interfaces.")] = "127.0.0.1",
    watch: Annotated[float | None, real(help="Interval in seconds for loading new trials. [default: never]")] = None,
) -> None:
    """Open optuna-dashboard on a copy of a study, with a figure of each trial's module. Ctrl-C stops it."""
    from inception_search.cli.leaderboard import warn
    from inception_search.optuna_bridge.dashboard_server import serve_dashboard
    from inception_search.space.holes import varying_parts
    from inception_search.space.space import Space
    from inception_search.store.run_folder import RunFolder
    from inception_search.study.config import StudyConfig, optuna_name
    from inception_search.study.damage import damage

    def ready(server: DashboardServer) -> None:
        trials = len(server.copy.shown)
        copy_note = "a copy: changes made there are not saved"
        new_note = (
            f"new ones are loaded every {watch:g} s" if watch else "new ones are not loaded (--watch 30 loads them)"
        )
        typer.echo(f"{counted(trials, 'trial')}, {new_note}; {copy_note}. Ctrl-C stops.", err=True)
        typer.echo(f"http://{host}:{server.server_port}/dashboard/studies/0")
        typer.echo(f"http://{host}:{server.server_port}/dashboard/studies/0/smartSelection  (switch on Show Artifacts)")

    def note(text: str) -> None:
        typer.echo(f"note: {one_line(text)}", err=True)

    folder = RunFolder.open(run)
    warn(damage(folder))
    varying = varying_parts(Space(folder.space_text(), str(folder.space_file)).template.root)
    serve_dashboard(
        folder,
        lambda record: _draw(record, varying),
        objectives=StudyConfig.read(folder.study_file).objectives,
        name=optuna_name(folder.study_file),
        host=host,
        port=port,
        every=watch or 0.0,
        ready=ready,
        note=note,
    )


def _draw(record: TrialRecord, varying: Sequence[str]) -> str | None:
    """The figure of the modules that a trial searched; None if there is none to draw."""
    from inception_search.errors import InceptionSearchError
    from inception_search.report import draw_searched

    try:
        return draw_searched(record, varying=varying).svg
    except InceptionSearchError:
        return None
