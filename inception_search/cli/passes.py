"""``inception-search passes``: what each rewriting pass does to a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from inception_search.cli.naming import ITEM, PHASES, complete_device, complete_item, complete_pass, one_of
from inception_search.cli.shared_options import integer
from inception_search.errors import unknown_name

if TYPE_CHECKING:
    from rich.table import Table

    from inception_search.graph.graph import Graph
    from inception_search.items import Item
    from inception_search.measures.pass_report import PassReport, PassRow, Side, Timer
    from inception_search.measures.rewrite_costs import Dtype
    from inception_search.measures.target import Target
    from inception_search.passes.rewrite import Phase

DTYPES = {"float32": 4, "bfloat16": 2}  # bytes of a number
ARROW = " → "
COLUMNS = ("pass", "places", "ops", "kernels", "activations", "weights", "ms")


def passes(
    network: Annotated[str, typer.Argument(help=ITEM, autocompletion=complete_item)],
    phase: Annotated[
        str,
        typer.Option(help="What the graph is computed for: inference or training.", autocompletion=one_of(PHASES)),
    ] = "inference",
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Apply only this pass; repeat the option for more. [default: all of the phase]",
            metavar="<str>",
            autocompletion=complete_pass,
        ),
    ] = None,
    input_size: Annotated[
        int | None, integer(least=1, help="Side of the square images in pixels. [default: the network's]")
    ] = None,
    aux: Annotated[
        bool, typer.Option(show_default=False, help="Include the auxiliary classifiers in training. [default: yes]")
    ] = True,
    batch_size: Annotated[int, integer(least=1, help="Images in a batch.")] = 1,
    device: Annotated[
        str, typer.Option(help="Device of the measurement: cpu, cuda or cuda:<number>.", autocompletion=complete_device)
    ] = "cpu",
    threads: Annotated[int | None, integer(least=1, help="CPU threads. [default: torch's number]")] = None,
    dtype: Annotated[
        str, typer.Option(help="float32, or bfloat16 (autocast).", autocompletion=one_of(DTYPES))
    ] = "float32",
    measure: Annotated[
        bool, typer.Option(show_default=False, help="Measure times on the device. [default: yes]")
    ] = True,
    places: Annotated[bool, typer.Option("--places", help="Print every place that a pass changes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what each rewriting pass does to a network: places, ops, kernels, bytes, and times before and after.

    Passes that can make a place slower are applied where the cost model of this device predicts a gain. With --only or
    --no-measure, passes are applied wherever they can be.
    """
    from inception_search.items import item
    from inception_search.measures.pass_report import pass_report
    from inception_search.measures.rewrite_costs import cost_model
    from inception_search.measures.target import Target
    from inception_search.passes.pipeline import passes_of, run_passes
    from inception_search.passes.rewrite import everywhere

    for what, value, known in (("phase", phase, PHASES), ("dtype", dtype, DTYPES)):
        if value not in known:
            raise unknown_name(what, value, known)
    kind, number = cast("Phase", phase), cast("Dtype", dtype)
    target = Target(device, threads, batch_size)
    shown = _sized(item(network), input_size)
    graph = graph_of(shown, aux and phase == "training")
    choose = cost_model(kind, target, dtype=number).pays if measure and not only else everywhere
    result = run_passes(graph, kind, only=only or None, choose=choose)
    names = [name for name in passes_of(kind) if not only or name in only]
    timer = _timer(target, kind, number) if measure else None
    with _progress() as progress:
        report = pass_report(
            graph,
            result,
            names,
            timer=timer,
            batch_size=batch_size,
            number_bytes=DTYPES[dtype],
            progress=progress,
        )
    about = {"name": shown.name, "input": list(graph.nodes[0].type), "phase": phase, "batch_size": batch_size}
    about |= {"device": device, "dtype": dtype}
    if as_json:
        from inception_search.cli.output import print_json

        print_json(about | _data(report))
    else:
        _print(about, report, places)


def graph_of(shown: Item, aux: bool) -> Graph:
    """The graph of a network, with its auxiliary classifiers if wanted, or of a module."""
    from inception_search.lowering import lower, lower_module

    if shown.module is not None:
        return lower_module(shown.network, shown.module)
    return lower(shown.network, aux=aux)


def _sized(found: Item, side: int | None) -> Item:
    from inception_search.spec.transform import set_input

    return found if side is None else found._replace(network=set_input(found.network, height=side, width=side))


def _timer(target: Target, phase: Phase, dtype: Dtype) -> Timer:
    from inception_search.measures.timing import time_parts

    def measured(before: Graph, after: Graph) -> tuple[float, float]:
        one, other = time_parts((before, after), target, phase, dtype)
        return one, other

    return measured


@contextmanager
def _progress() -> Iterator[Callable[[int, int], object]]:
    """A callback for the number of measured graphs: it updates a bar on stderr if that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn("measuring"), BarColumn(bar_width=16), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("measuring", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print(about: dict[str, Any], report: PassReport, places: bool) -> None:
    from inception_search.cli.output import stdout_console

    console = stdout_console()
    console.print(_table(about, report, places))
    changed = [row for row in report.rows if row.places]
    if not changed:
        console.print("\nno pass changes anything")
        return
    if not places:
        console.print()
        for row in changed:
            console.print(f"{row.name}: {row.summary}; in {_where(row)}", highlight=False, markup=False)
    kinds = report.before.size.kernels
    lines = [f"{kind} {_change(kinds.get(kind, 0), report.after.size.kernels.get(kind, 0))}" for kind in kinds]
    console.print(f"\nkernels: {', '.join(lines)}", highlight=False)
    if report.before.milliseconds is not None:
        console.print("ms: random weights and images; other load on the machine increases times", highlight=False)


def _table(about: dict[str, Any], report: PassReport, places: bool) -> Table:
    from rich.table import Table

    size = "x".join(map(str, about["input"]))
    title = f"{about['name']} on {about['batch_size']} x {size}, {about['phase']}, {about['dtype']}, {about['device']}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "pass" else "right", no_wrap=name != "pass")
    for row in report.rows:
        table.add_row(row.name, str(len(row.places)), *(_cells(row.before, row.after) if row.places else ()))
        for place in row.places if places else ():
            table.add_row("  " + place.path.replace("[", "\\["), "", *_cells(place.before, place.after))
    total = sum(len(row.places) for row in report.rows)
    table.add_row("network", str(total), *_cells(report.before, report.after), style="bold")
    return table


def _cells(before: Side, after: Side) -> list[str]:
    """The cells of a row from the third column on."""
    a, b = before.size, after.size
    cells = [_change(a.ops, b.ops), _change(sum(a.kernels.values()), sum(b.kernels.values()))]
    cells += [_bytes(a.activation_bytes, b.activation_bytes), _bytes(a.weight_bytes, b.weight_bytes)]
    if before.milliseconds is None or after.milliseconds is None:
        return [*cells, "-"]
    return [*cells, f"{before.milliseconds:.3g}{ARROW}{after.milliseconds:.3g}"]


def _change(before: int, after: int) -> str:
    return f"{before:,}" if before == after else f"{before:,}{ARROW}{after:,}"


def _bytes(before: int, after: int) -> str:
    scale, unit = (2**20, "MiB") if max(before, after) >= 2**20 else (2**10, "KiB")
    words = list(dict.fromkeys(f"{value / scale:.1f}" for value in (before, after)))
    return f"{ARROW.join(words)} {unit}"


def _where(row: PassRow) -> str:
    """The stages with changed places: ``mixed_5b, mixed_5c``."""
    return ", ".join(dict.fromkeys(place.path.partition(".")[0] for place in row.places))


def _data(report: PassReport) -> dict[str, Any]:
    rows = [
        {
            "name": row.name,
            "summary": row.summary,
            **_sides(row.before, row.after),
            "places": [{"path": place.path, **_sides(place.before, place.after)} for place in row.places],
        }
        for row in report.rows
    ]
    return {**_sides(report.before, report.after), "passes": rows}


def _sides(before: Side, after: Side) -> dict[str, Any]:
    return {"before": _side(before), "after": _side(after)}


def _side(side: Side) -> dict[str, Any]:
    size = side.size
    return {
        "ops": size.ops,
        "kernels": dict(size.kernels),
        "activation_bytes": size.activation_bytes,
        "weight_bytes": size.weight_bytes,
        "milliseconds": side.milliseconds,
    }
