"""The output at the end of a search, on stdout: the leaderboard and the written files."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from inception_search.analysis.leaderboard import LeaderboardRow, leaderboard_rows, points
from inception_search.cli.output import stdout_console
from inception_search.cli.shell import INTERRUPTED
from inception_search.errors import TrainingError, one_line
from inception_search.store import query
from inception_search.store.record import QUALITIES, TrialRecord, percent, trial_name

if TYPE_CHECKING:
    from inception_search.study.study import Study

FRONT = 50  # printed trials of a front
WIDE = 100  # terminal columns from which the ids of architectures fit


def print_leaderboard(records: Iterable[TrialRecord], top: int = 10) -> None:
    """Print the best trials and every canonical baseline as a table on stdout."""
    from inception_search.report import summary

    records = list(records)
    console = stdout_console()
    rows = leaderboard_rows(records, top)
    words = query.quality_words(records)
    if rows:
        console.print(_table(rows, words, with_ids=console.width >= WIDE))
    states = ", ".join(f"{number} {state}" for state, number in query.counts(records).items() if number)
    text = f"\ntrials: {states or 'none'}; {words} is measured on the validation images"
    text += f"\n{summary(records)}" if rows else ""
    console.print(text, highlight=False, markup=False, soft_wrap=not sys.stdout.isatty())


def _table(rows: Iterable[LeaderboardRow], words: str, with_ids: bool) -> Table:
    table = Table(
        title="leaderboard: trials that were trained to the last epoch", title_justify="left", box=None, pad_edge=False
    )
    rows = list(rows)
    compared = any(row.versus_baseline is not None for row in rows)
    timed = any(row.latency is not None for row in rows)
    columns = ["rank", "network", words, *(["vs baseline"] if compared else []), "MACs", "parameters"]
    columns += [*(["latency"] if timed else []), "arch_id"]
    for name in columns if with_ids else columns[:-1]:
        table.add_column(name, justify="left" if name in ("network", "arch_id") else "right", no_wrap=True)
    for row in rows:
        cells = (
            str(row.rank),
            f"{row.name} (canonical)" if row.baseline else row.name,
            percent(row.accuracy),
            *([points(row.versus_baseline)] if compared else []),
            f"{row.macs / 1e6:,.2f} M" if row.macs is not None else "",
            f"{row.params:,}" if row.params is not None else "",
            *([f"{row.latency:.3g} ms" if row.latency is not None else ""] if timed else []),
            row.arch_id or "",
        )
        table.add_row(*cells[: len(table.columns)])
    return table


def finish(study: Study) -> None:
    """Print the leaderboard and the written files, and write the report.

    Exits with code 130 if the search was stopped; raises TrainingError if it ended without a trained network.
    """
    from inception_search.report.study_report import write_study_report

    records = study.run.lean_records()
    written = (
        write_study_report(study.run, records=records) if records else []
    )  # before printing, which fails if standard output is full
    print_leaderboard(records)
    print_front(study, records)
    if records:
        print_files(written)
    typer.echo(str(study.run.trials_file))
    if not study.finished:
        typer.echo(f"stopped; to continue: inception-search resume {shlex.quote(str(study.path))}", err=True)
        raise typer.Exit(INTERRUPTED)
    if query.best(records) is None:
        raise nothing_trained(study.run.trials_file, records)


def print_front(study: Study, records: Sequence[TrialRecord]) -> None:
    """Print the Pareto front of a study with several objectives, and its hypervolume."""
    from inception_search.analysis.front import front, hypervolume
    from inception_search.study.reference_point import reference_of

    names = study.config.objectives
    trials = front(records, names) if len(names) > 1 else []
    if not trials:
        return
    table = Table(title="Pareto front", title_justify="left", box=None, pad_edge=False)
    table.add_column("network", no_wrap=True)
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for trial in trials[:FRONT]:
        table.add_row(trial_name(trial), *(objective_text(name, trial.objectives[name]) for name in names))
    console = stdout_console()
    console.print(table)
    if trials[FRONT:]:
        console.print(f"and {len(trials) - FRONT:,} more", highlight=False)
    reference = reference_of(study.run, study.config)
    if reference:
        volume = hypervolume(records, names, reference)
        console.print(f"hypervolume {volume:.6g}, from the reference point in study.yaml", highlight=False)


def objective_text(name: str, value: float) -> str:
    """The value of an objective in its display form."""
    if name in QUALITIES:
        return percent(value)
    return f"{value / 1e6:,.2f} M" if name == "macs" else f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def print_files(paths: Iterable[Path], *, err: bool = False) -> None:
    """Print the written files on stdout or stderr: one per line, but those of a subfolder together on one."""
    paths = list(paths)
    top = paths[0].parent
    for path in paths:
        if path.parent == top:
            typer.echo(str(path), err=err)
    for folder in sorted({path.parent for path in paths} - {top}):
        names = ", ".join(path.name for path in paths if path.parent == folder)
        typer.echo(f"{folder}: {names}", err=err)


def warn(sentences: Iterable[str]) -> None:
    """Print what is damaged or missing in a run folder, one line each on stderr."""
    for sentence in sentences:
        typer.echo(f"warning: {one_line(sentence)}", err=True)


def nothing_trained(file: object, records: Iterable[TrialRecord]) -> TrainingError:
    """The error for a study without a complete trial, with the most frequent reason."""
    reasons = Counter(record.reason for record in records if record.reason).most_common(1)
    why = f"; the most frequent reason: {reasons[0][0]}" if reasons else ""
    return TrainingError(f"no network was trained to the last epoch{why}", path=str(file))
