"""``inception-search weights``: the published weights of the canonical networks, and their download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from inception_search.cli.naming import complete_item
from inception_search.errors import ConfigError

if TYPE_CHECKING:
    from inception_search.published.catalogue import PublishedWeights

CACHED = "in the cache"
NUMBERS = ("classes", "MB", "top-1", "top-5")


def weights(
    network: Annotated[
        str,
        typer.Argument(
            metavar="NET",
            help="A canonical network or dialect (inception_v3, inception_v3@keras) [default: all]",
            autocompletion=complete_item,
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print a table in Markdown.")] = False,
    tag: Annotated[str, typer.Option(help="Only the weights with this tag. [default: all]")] = "",
    download: Annotated[
        bool, typer.Option("--download", help="Download those of NET that are not in a cache. [default: no]")
    ] = False,
) -> None:
    """List published weights: which dialect they need, dataset, classes, size, licence, accuracy and file.

    compile(NET, weights="pretrained") and convert pretrained --network NET load them.
    """
    from inception_search.published.catalogue import published_weights

    rows = [row for row in published_weights(network or None) if tag in ("", row.tag)]
    if not rows:
        raise _none(network, tag)
    if download:
        _download(rows, network)
    from inception_search.cli.output import markdown, print_json

    if as_json:
        print_json([row.to_dict() for row in rows])
    elif as_markdown:
        table = [{column: text for column, text in _cells(row).items() if column != CACHED} for row in rows]
        typer.echo(markdown(table, NUMBERS))  # for a page, which other machines than this one show
    else:
        _table(rows)


def _none(network: str, tag: str) -> ConfigError:
    from inception_search.published.catalogue import published_weights

    base = network.partition("@")[0]
    known = [f"{row.network} ({row.tag})" for row in published_weights(base or None)]
    words = f"{network or 'any network'}{f' with the tag {tag}' if tag else ''}"
    return ConfigError(
        f"no weights are published for {words}", expected=f"one of {', '.join(known)}" if known else None
    )


def _download(rows: list[PublishedWeights], network: str) -> None:
    """Fetch the files of ``rows`` that are not in their caches."""
    from inception_search.downloads.progress import shown
    from inception_search.published.obtain import obtain

    if not network:
        hint = "name one, such as inception_v3@torchvision"
        raise ConfigError("--download needs a network, because all files together are very large", hint=hint)
    for row in rows:
        obtain(row, download=True, shown=shown)


def _table(rows: list[PublishedWeights]) -> None:
    from rich.table import Table

    from inception_search.cli.output import stdout_console

    cells = [_cells(row) for row in rows]
    table = Table(box=None, pad_edge=False)
    for column in cells[0]:
        table.add_column(column, overflow="fold", justify="right" if column in NUMBERS else "left")
    for row in cells:
        table.add_row(*row.values())
    stdout_console().print(table)


def _cells(row: PublishedWeights) -> dict[str, str]:
    """A row as printed; unknown facts are empty."""
    percent = {name: f"{100 * value:.2f}" for name, value in row.accuracies.items()}
    others = [f"{name} {value}" for name, value in percent.items() if not name.startswith("top-")]
    return {
        "network": row.network,
        "tag": row.tag,
        "dataset": row.dataset or "",
        "classes": f"{row.classes:,}",
        "top-1": percent.get("top-1", ", ".join(others)),
        "top-5": percent.get("top-5", ""),
        "MB": "" if row.megabytes is None else f"{row.megabytes:.0f}",
        "licence": row.licence or "",
        "file": row.file if row.cache != "Hugging Face hub" else _on_the_hub(row.url),
        CACHED: "yes" if row.path is not None else "no",
    }


def _on_the_hub(url: str) -> str:
    """The repository and the file of an address, because most files there have the same name."""
    path = urlsplit(url).path.removeprefix("/")
    return path.replace("/resolve/main/", ": ", 1)
