"""``inception-search list``: what is shipped."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated

import typer
from rich.table import Table

from inception_search.cli.output import stdout_console
from inception_search.errors import unknown_name

Rows = list[dict[str, str]]


def list_shipped(
    what: Annotated[str, typer.Argument(help="networks, spaces, datasets or ops; all when left out")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the shipped networks, search spaces, datasets and ops."""
    if what and what not in KINDS:
        raise unknown_name("kind of thing to list", what, KINDS)
    chosen = {kind: rows() for kind, rows in KINDS.items() if what in ("", kind)}
    if as_json:
        typer.echo(json.dumps(chosen, indent=2))
        return
    console = stdout_console()
    for kind, rows in chosen.items():
        table = Table(title=kind, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for column in rows[0]:
            table.add_column(column, overflow="fold", justify="right" if column in NUMBERS else "left")
        for row in rows:
            table.add_row(*row.values())
        console.print(table)
        console.print()


def _networks() -> Rows:
    from inception_search.canonical.catalogue import load, names
    from inception_search.lowering import lower

    rows = []
    for name in names():
        network = load(name)
        cost = lower(network).cost()
        size = "x".join(map(str, network.input.shape))
        row = {"name": name, "input": size, "parameters": f"{cost.params:,}", "MACs": f"{cost.macs:,}"}
        rows.append(row | {"source": network.source})
    return rows


def _spaces() -> Rows:
    from inception_search.space.space import load_space, names

    spaces = [load_space(name) for name in names()]
    return [
        {
            "name": s.name,
            "points": f"{s.size:.3g}",
            "contains": ", ".join(s.document.contains),
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
    "spaces": _spaces,
    "datasets": _datasets,
    "ops": _ops,
}
NUMBERS = ("parameters", "MACs", "points")
