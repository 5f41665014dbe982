"""``inception-search list``: what is shipped."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inception_search.cli.naming import complete_kind
from inception_search.errors import unknown_name

if TYPE_CHECKING:
    from inception_search.spec.network import Network

Rows = list[dict[str, Any]]


def list_shipped(
    what: Annotated[
        str,
        typer.Argument(
            help="networks, dialects, spaces, datasets or ops; all when left out", autocompletion=complete_kind
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print tables in Markdown.")] = False,
) -> None:
    """List the shipped networks and their dialects, search spaces, datasets and ops."""
    if what and what not in KINDS:
        raise unknown_name("kind of thing to list", what, KINDS)
    chosen = {kind: rows() for kind, rows in KINDS.items() if what in ("", kind)}
    if as_json:
        typer.echo(json.dumps(chosen, indent=2))
        return
    from inception_search.cli.output import markdown, stdout_console

    if as_markdown:
        typer.echo("\n\n".join(markdown([_in_words(row) for row in rows], NUMBERS) for rows in chosen.values()))
        return
    from rich.table import Table

    console = stdout_console()
    for kind, rows in chosen.items():
        table = Table(title=kind, title_justify="left", title_style="bold", box=None, pad_edge=False)
        columns = SHOWN.get(kind, tuple(rows[0]))
        for column in columns:
            table.add_column(column, overflow="fold", justify="right" if column in NUMBERS else "left")
        for row in map(_in_words, rows):
            table.add_row(*(row[column] for column in columns))
        console.print(table)
        console.print()


def _in_words(row: dict[str, Any]) -> dict[str, str]:
    """A row as it is printed: numbers with commas, shapes as CxHxW, names with commas between."""
    return {name: _points(value) if name == "points" else _text(value) for name, value in row.items()}


def _points(value: int | str) -> str:
    """A number of points as spaces say it, rounded from a million on."""
    return f"{value:.3g}" if isinstance(value, int) and value >= 10**6 else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ("x" if all(isinstance(part, int) for part in value) else ", ").join(map(str, value))
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def _networks() -> Rows:
    from inception_search.canonical.catalogue import dialects, load, names

    rows = []
    for name in names():
        network, known = load(name), dialects(name)
        row = {"name": name, "input": list(network.input.shape), **_costs(network)}
        rows.append(row | {"dialects": list(known), "source": network.source})
    return rows


def _dialects() -> Rows:
    from inception_search.canonical.catalogue import dialects, load, names
    from inception_search.canonical.dialect_facts import facts

    rows = []
    for name in names():
        for dialect, about in dialects(name).items():
            network = load(f"{name}@{dialect}")
            row = {"name": f"{name}@{dialect}", **facts(network), **_costs(network)}
            row["input"] = list(network.input.shape)
            rows.append(row | {"stands for": about + (" (the main one)" if network.name == name else "")})
    return rows


def _costs(network: Network) -> dict[str, int]:
    from inception_search.estimate import estimate

    cost = estimate(network)
    return {"parameters": cost.params, "with auxiliary": cost.params_with_aux, "MACs": cost.macs}


def _spaces() -> Rows:
    from inception_search.space.space import load_space, names

    spaces = [load_space(name) for name in names()]
    return [
        {
            "name": s.name,
            "points": s.size if s.size <= EXACT else s.size_in_words,
            "contains": list(s.document.contains),
            "about": s.about.split(". ")[0] + ".",
        }
        for s in spaces
    ]


def _datasets() -> Rows:
    from inception_search.cli.datasets import ABOUT

    return [{"name": name, "about": about} for name, about in ABOUT.items()]


def _ops() -> Rows:
    from inception_search.graph.ops import OPS

    return [{"name": name, "about": (op.__doc__ or "").split("\n")[0]} for name, op in OPS.items()]


KINDS: dict[str, Callable[[], Rows]] = {
    "networks": _networks,
    "dialects": _dialects,
    "spaces": _spaces,
    "datasets": _datasets,
    "ops": _ops,
}
# Columns that fit a terminal, where there are more (for JSON and Markdown).
SHOWN = {"dialects": ("name", "parameters", "with auxiliary", "MACs", "stands for")}
EXACT = 2**53  # larger whole numbers lose digits in most readers of JSON
NUMBERS = ("parameters", "with auxiliary", "MACs", "points")
