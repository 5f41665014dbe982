"""``inception-search finalize``: the best networks of a study, retrained with several seeds and tested once."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from inception_search.cli.flags import with_flags
from inception_search.cli.naming import complete_run
from inception_search.cli.output import print_json, stdout_console
from inception_search.cli.shell import INTERRUPTED

if TYPE_CHECKING:
    from inception_search.study.final.result import Finals


@with_flags("finalize")
def finalize(
    run: Annotated[Path, typer.Argument(help="The run folder", autocompletion=complete_run)],
    *,
    together: Annotated[bool | None, typer.Option("--together/--apart", hidden=True)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    **flags: Any,
) -> None:
    """Retrain the best networks and the baselines of a study with several seeds, and test each once.

    The result shows whether the differences between them are significant.
    """
    from inception_search.live_progress import watched_finals
    from inception_search.study.final.finalize import finalize as finalize_it

    options = {name: value for name, value in flags.items() if value is not None}
    if together is not None:
        typer.echo("note: --together and --apart have no effect: seeds are trained one by one", err=True)
    with watched_finals() as observer:
        finals = finalize_it(run, observer=observer, **options)
    if not finals.finished:
        typer.echo("stopped; the same command continues", err=True)
        raise typer.Exit(INTERRUPTED)
    if as_json:
        print_json(finals.data())
    else:
        _print(finals)


def _print(finals: Finals) -> None:
    from inception_search.store.record import QUALITIES
    from inception_search.study.final.table import COLUMNS, LEFT

    console = stdout_console()
    words = QUALITIES[finals.table.quality]
    title = f"final trainings; test and validation are {words}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, justify="left" if name in LEFT else "right", no_wrap=True)
    for row in finals.rows:
        table.add_row(*row.cells())
    console.print(table)
    text = "\n".join(f"{sentence[0].upper()}{sentence[1:]}." for sentence in finals.sentences)
    console.print(f"\n{text}", highlight=False, markup=False, soft_wrap=not sys.stdout.isatty())
    for path in finals.files:
        typer.echo(str(path))
    if finals.best is not None:
        typer.echo(_how_to_load(finals))


def _how_to_load(finals: Finals) -> str:
    """The name of the best network, the file with its weights and the call that loads it."""
    best, name = finals.best, f"{finals.run.path}:final"
    assert best is not None
    return (
        f"best by validation: trial {best.trial} with seed {best.seed}, {best.file}\n"
        f"load it in Python with ins.load_model({name!r}), or write it with inception-search convert {quote(name)} "
        "-o model.safetensors"
    )
