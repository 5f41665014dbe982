"""``inception-search list``: the shipped networks, dialects, spaces, datasets, ops and passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from inception_search.cli.naming import complete_kind
from inception_search.errors import unknown_name
from inception_search.plugins import Kind, added, origin

if TYPE_CHECKING:
    from inception_search.spec.network import Network


class Row(NamedTuple):
    """A row of `list`: its JSON data, and the table's words where they differ from the data."""

    data: dict[str, Any]
    words: dict[str, str] = {}


def list_shipped(
    what: Annotated[
        str,
        typer.Argument(
            help="networks, dialects, spaces, datasets, ops or passes [default: all]", autocompletion=complete_kind
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print tables in Markdown.")] = False,
) -> None:
    """List the shipped networks, dialects, search spaces, datasets, ops and passes."""
    if what and what not in KINDS:
        raise unknown_name("kind of thing to list", what, KINDS)
    chosen = {kind: rows() for kind, rows in KINDS.items() if what in ("", kind)}
    from inception_search.cli.output import print_json, stdout_console

    if as_json:
        print_json({kind: [row.data for row in rows] for kind, rows in chosen.items()})
        return
    if as_markdown:
        typer.echo("\n\n".join(_markdown(kind, rows) for kind, rows in chosen.items()))
        return
    from rich.table import Table

    console = stdout_console()
    for kind, rows in chosen.items():
        table = Table(title=kind, title_justify="left", title_style="bold", box=None, pad_edge=False)
        worded = [_in_words(row) for row in rows]
        columns = SHOWN.get(kind, tuple(worded[0]))
        for column in columns:
            table.add_column(column, overflow="fold", justify="right" if column in NUMBERS else "left")
        for row in worded:
            table.add_row(*(row[column] for column in columns))
        console.print(table)
        console.print()


def _markdown(kind: str, rows: list[Row]) -> str:
    """The rows as a table; the :data:`SENTENCES` columns have a table of their own, because pages are narrow."""
    from inception_search.cli.output import markdown

    table = [_in_words(row) for row in rows]
    separate = SENTENCES.get(kind, ())
    first = [{name: text for name, text in row.items() if name not in separate} for row in table]
    second = [{name: row[name] for name in ("name", *separate)} for row in table] if separate else []
    return "\n\n".join(markdown(part, NUMBERS) for part in (first, second) if part)


def _in_words(row: Row) -> dict[str, str]:
    """A row as printed: numbers with commas, shapes as CxHxW, names separated by commas."""
    cells = {name: row.words.get(name) or _text(value) for name, value in row.data.items()}
    return {TITLES.get(name, name.replace("_", " ")): text for name, text in cells.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ("x" if all(isinstance(part, int) for part in value) else ", ").join(map(str, value))
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def _networks() -> list[Row]:
    from inception_search.canonical.catalogue import list_dialects, load, names

    rows = []
    for name in names():
        network, known = load(name), list_dialects(name)
        row = {"name": name, "input": list(network.input.shape), **_costs(network)}
        rows.append(Row(row | {"dialects": list(known), "source": network.source}))
    return rows


def _dialects() -> list[Row]:
    from inception_search.canonical.catalogue import list_dialects, load, names
    from inception_search.canonical.dialect_facts import facts, in_words

    rows = []
    for name in names():
        for dialect, about in list_dialects(name).items():
            network = load(f"{name}@{dialect}")
            known = facts(network)
            row = {"name": f"{name}@{dialect}", "input": list(network.input.shape), **known, **_costs(network)}
            main = network.name == name
            words = in_words(known) | {"main": "yes" if main else "no"}
            rows.append(Row(row | {"main": main, "stands_for": about}, words))
    return rows


def _costs(network: Network) -> dict[str, int]:
    from inception_search.estimate import estimate

    cost = estimate(network)
    return {"params": cost.params, "params_with_aux": cost.params_with_aux, "macs": cost.macs}


def _spaces() -> list[Row]:
    from inception_search.space.load_space import load_space
    from inception_search.spec.documents.files import shipped_names

    rows = []
    for space in map(load_space, shipped_names()):
        about = space.about.split(". ")[0] + "."
        row = {"name": space.name, "points": space.rounded_size, "contains": list(space.document.contains)}
        rows.append(Row(row | {"about": about}, {"points": space.size_in_words}))
    return rows + _added("space", points=None, contains=[])


def _datasets() -> list[Row]:
    from inception_search.cli.naming import ABOUT_DATASETS

    return [Row({"name": name, "about": about}) for name, about in ABOUT_DATASETS.items()] + _added("dataset")


def _ops() -> list[Row]:
    from inception_search.graph.ops import OPS

    own = [Row({"name": name, "about": (op.__doc__ or "").split("\n")[0]}) for name, op in OPS.items()]
    return own + _added("op")


def _passes() -> list[Row]:
    from inception_search.passes import PASSES

    rows = []
    for name, each in PASSES.items():
        row = {"name": name, "phases": sorted(each.phases), "measured": each.costly, "about": each.summary}
        rows.append(Row(row, {"measured": "yes" if each.costly else "no"}))
    return rows


def _added(kind: Kind, **empty: Any) -> list[Row]:
    """Names from other packages; these are not imported, so the columns in ``empty`` stay empty."""
    return [Row({"name": name, **empty, "about": f"of the package {origin(kind, name)}"}) for name in added(kind)]


KINDS: dict[str, Callable[[], list[Row]]] = {
    "networks": _networks,
    "dialects": _dialects,
    "spaces": _spaces,
    "datasets": _datasets,
    "ops": _ops,
    "passes": _passes,
}
# Columns that fit a terminal; JSON and Markdown have all.
SHOWN = {"dialects": ("name", "default", "parameters", "with auxiliary classifiers", "MACs", "stands for")}
SENTENCES = {"dialects": ("stands for",)}
TITLES = {
    "params": "parameters",
    "params_with_aux": "with auxiliary classifiers",
    "macs": "MACs",
    "main": "default",
    "averages": "average pools include padding",
    "strided_pools": "rounding of strided pools",
    "auxiliary": "auxiliary classifiers after",
}
NUMBERS = ("parameters", "with auxiliary classifiers", "MACs", "points")
