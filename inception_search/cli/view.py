"""``inception-search view``: an interactive page of a network, a module, a trial or a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inception_search.cli.naming import ITEM, complete_item, complete_module
from inception_search.cli.shared_options import integer


def view(
    item: Annotated[str, typer.Argument(help=f"{ITEM}; for a run folder, its trials", autocompletion=complete_item)],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Output file (.html). [default: NAME.html]")] = None,
    module: Annotated[
        str | None,
        typer.Option(
            help="The block or stage of the network to show. [default: the whole network]",
            autocompletion=complete_module,
        ),
    ] = None,
    time: Annotated[
        bool, typer.Option("--time", help="Measure the time of each op and offer it as a colour scale.")
    ] = False,
    top: Annotated[
        int | None,
        integer(least=1, help="For a run folder: number of best trials, in addition to the baselines. [default: 30]"),
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Write an interactive HTML page of a network or study: collapsible blocks, search, colours by cost."""
    from inception_search.api import view as page_of
    from inception_search.cli.leaderboard import warn
    from inception_search.errors import ConfigError
    from inception_search.items import item as named
    from inception_search.store.run_folder import RunFolder
    from inception_search.study.damage import damage

    of_study = (Path(item) / "trials.jsonl").is_file() and module is None
    if of_study:
        if time:
            hint = f"name one of its trials: inception-search view {item}:0 --time"
            raise ConfigError("the ops of a whole study are not measured", path="--time", hint=hint)
        page, stem = page_of(item, top=top), Path(item).resolve().name
    else:
        found = named(item, module)
        if time:
            typer.echo("measuring every op, once for each shape; later pages take it from the cache", err=True)
        page, stem = page_of(found.network, module=found.module, title=found.name, time=time), found.stem
    warnings = damage(RunFolder.open(item)) if of_study else []
    path = page.save(out or Path(f"{stem}.html"))
    typer.echo(str(path))
    warn(warnings)
    if open_it:
        typer.launch(path.resolve().as_uri())
    if warnings:
        raise typer.Exit(1)
