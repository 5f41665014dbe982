"""``inception-search proxies``: how well zero-cost proxies predict the accuracies measured in a study."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from inception_search.cli.naming import complete_run
from inception_search.cli.output import print_json, stdout_console
from inception_search.cli.shared_options import integer
from inception_search.errors import one_line
from inception_search.numbers import counted

if TYPE_CHECKING:
    from inception_search.analysis.proxy_ranking import ProxyRow
    from inception_search.analysis.rank_correlation import Interval
    from inception_search.study.proxy_report import ProxyReport


def proxies(
    run: Annotated[Path, typer.Argument(help="The run folder", autocompletion=complete_run)],
    names: Annotated[
        str | None, typer.Option(help="Comma-separated proxies; params and macs are always included. [default: all]")
    ] = None,
    images: Annotated[int, integer(least=1, help="Number of training images in the batch.")] = 64,
    seeds: Annotated[int, integer(least=1, help="Number of seeds (initial weights and images) to average over.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure how well zero-cost proxies predict the accuracies of a study, compared with parameters and MACs."""
    from inception_search.store.run_folder import RunFolder
    from inception_search.study.proxy_report import proxy_report

    chosen = None if names is None else [name for part in names.split(",") if (name := part.strip())]
    with _progress() as progress:
        report = proxy_report(RunFolder.open(run), chosen, images=images, seeds=seeds, progress=progress)
    for note in report.notes:
        typer.echo(f"note: {one_line(note)}", err=True)
    if as_json:
        print_json(_data(report))
    else:
        _print(report)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], object]]:
    """A callback for the number of scored networks: it updates a bar on stderr if that is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("scoring"), BarColumn(bar_width=16), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("scoring", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print(report: ProxyReport) -> None:
    console = stdout_console()
    console.print(_table(report))
    text = f"\n{counted(report.networks, 'network')}; "
    text += f"scores: {counted(report.images, 'training image')} (if the proxy needs any)"
    text += f", mean of {report.seeds} seeds" if report.seeds > 1 else ""
    text += f"\ncorrelation with validation accuracy; [...,...]: 95 % bootstrap interval; {_against(report)}"
    for name, reason in report.left_out.items():
        text += f"\nomitted {name}: {reason}"
    console.print(text, highlight=False, markup=False, soft_wrap=not sys.stdout.isatty())


def _table(report: ProxyReport) -> Table:
    title = "zero-cost proxies against trained accuracy"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    top = [f"top {report.top_networks}"] if report.top_networks else []
    for name in ("proxy", "Spearman", "Kendall", *top, f"against {report.baseline or 'chance'}"):
        right = name in ("Spearman", "Kendall", *top)
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    for row in report.rows:
        found = row.correlation
        cells = [
            row.name if row.networks == report.networks else f"{row.name} ({counted(row.networks, 'network')})",
            _with_interval(found.spearman, found.spearman_interval),
            _with_interval(found.kendall, found.kendall_interval),
            *(["-" if row.top is None else f"{row.top:.2f}"] if top else []),
            row.verdict,
        ]
        table.add_row(*(cell.replace("[", "\\[") for cell in cells))
    return table


def _with_interval(value: float, interval: Interval) -> str:
    return f"{value:.2f} [{interval.low:.2f},{interval.high:.2f}]"


def _against(report: ProxyReport) -> str:
    if report.baseline is None:
        return "neither parameters nor MACs rank these networks"
    return f"{report.baseline} is the better baseline"


def _data(report: ProxyReport) -> dict[str, Any]:
    return {
        "networks": report.networks,
        "top_networks": report.top_networks,
        "baseline": report.baseline,
        "images": report.images,
        "seeds": report.seeds,
        "proxies": [_row_data(row) for row in report.rows],
        "left_out": dict(report.left_out),
    }


def _row_data(row: ProxyRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "networks": row.networks,
        "spearman": row.correlation.spearman,
        "spearman_interval": list(row.correlation.spearman_interval),
        "kendall": row.correlation.kendall,
        "kendall_interval": list(row.correlation.kendall_interval),
        "top": row.top,
        "gain": row.gain,
        "gain_interval": list(row.gain_interval),
        "verdict": row.verdict,
    }
