"""The report of a search: one HTML file to read, send and keep, with its figures as files beside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from inception_search.errors import InceptionSearchError
from inception_search.figures.draw import draw
from inception_search.figures.figure import Figure
from inception_search.figures.labels import count
from inception_search.figures.page import image, page, picture, table
from inception_search.figures.plots import PLOTS, plot, plot_svg
from inception_search.figures.svg import text
from inception_search.figures.table import best_baseline, leaderboard_rows, percent, points, trial_name
from inception_search.spec.document import network_from_data
from inception_search.store.atomic import write_atomic
from inception_search.store.disk import explain
from inception_search.store.query import baselines, counts, leaderboard
from inception_search.store.record import TrialRecord

MODULE = "module"  # the name of the searched block in a study's networks
SHOWN = 3  # sampled modules drawn in the report
ROWS = 20  # places of the leaderboard
REASONS = 5  # reasons named for each state
_ABOUT = {
    "history": "Validation accuracy of each trial by its number, with the best so far and the baselines.",
    "tradeoff": "Validation accuracy against multiply-adds and against parameters, with the Pareto front.",
    "curves": "Validation accuracy by epoch of the best trials and the baselines.",
}


def write_report(
    folder: str | Path, records: Sequence[TrialRecord], *, study: Mapping[str, Any], title: str
) -> list[Path]:
    """Write ``report.html`` and ``figures/*.svg`` into ``folder``; the paths written, the report first.

    ``study`` is the configuration shown at the end. The same records give the same bytes. A network that cannot
    be drawn is named in the report, with the reason.
    """
    target = Path(folder)
    figures = target / "figures"
    try:
        figures.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain(error, figures) from error
    plots = {name: plot_svg(plot(name, records), name) for name in PLOTS}
    files = {**dict(_modules(records)), **{f"{name}.svg": svg for name, svg in plots.items()}}
    html = page(title, summary(records), _sections(records, plots, study))
    written = [target / "report.html", *(figures / name for name in sorted(files))]
    for path, content in zip(written, (html, *(files[name] for name in sorted(files))), strict=True):
        write_atomic(path, content)
    return written


def summary(records: Sequence[TrialRecord]) -> str:
    """The outcome of a study in one or two sentences."""
    numbers = counts(records)
    told = f"{len(records)} trials, {numbers['complete']} trained to the end."
    sampled = next((r for r in leaderboard(records, len(records)) if r.origin == "sampled"), None)
    if sampled is None or sampled.value is None:
        return told
    told += f" Best found: {trial_name(sampled)} with {percent(sampled.value)} validation accuracy"
    reference = best_baseline(records)
    if reference is None or reference.value is None:
        return told + "." + _grain(records, sampled)
    difference = sampled.value - reference.value
    told += f", {points(difference)} points against {trial_name(reference)}, the best baseline"
    told += f" ({percent(reference.value)})."
    if difference < 0:
        told += f" No sampled network beat {trial_name(reference)}."
    return told + _grain(records, sampled, reference)


def _grain(records: Sequence[TrialRecord], *told: TrialRecord) -> str:
    """What one validation image is worth, and how often was trained what was told: much may be within chance."""
    sizes = told[0].data.get("sizes")
    images = sizes.get("validation") if isinstance(sizes, dict) else None
    if not isinstance(images, int) or images < 1:
        return ""
    again = Counter(record.repeat_of for record in records if record.state == "complete")
    often = [f"{trial_name(record)} was trained {_times(1 + again[record.number])}" for record in told]
    repeated = any(again[record.number] for record in told)
    trained = ", ".join(often) if repeated else "each network was trained once"
    return f" One of the {images:,} validation images is {100 / images:.2f} points; {trained}."


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def draw_searched(record: TrialRecord, title: str | None = None) -> Figure:
    """The module a trial searched, or its network where it has no block called ``module``.

    Raises an :class:`InceptionSearchError` when the record holds no network that can be drawn.
    """
    if record.network is None:
        raise InceptionSearchError("the trial has no network", path=trial_name(record))
    network = network_from_data(record.network)
    heading = trial_name(record) if title is None else title
    if MODULE in network.blocks:
        return draw(network.blocks[MODULE], network=network, title=heading)
    return draw(network, title=heading)


def _sections(
    records: Sequence[TrialRecord], plots: Mapping[str, str], study: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    yield "Leaderboard", _leaderboard(records)
    yield "Modules", _pictures(records)
    for name, svg in plots.items():
        yield (
            {"history": "History", "tradeoff": "Accuracy and cost", "curves": "Learning curves"}[name],
            image(svg, _ABOUT[name]),
        )
    yield "Trials", _states(records)
    yield "Configuration", _configuration(study)


def _leaderboard(records: Sequence[TrialRecord]) -> str:
    rows = leaderboard_rows(records, ROWS)
    if not rows:
        return "<p>No trial has been trained to its end.</p>"
    cells = [
        (
            str(row.rank),
            row.name,
            "baseline" if row.baseline else "sampled",
            percent(row.accuracy),
            points(row.versus_baseline),
            "" if row.macs is None else count(row.macs),
            "" if row.params is None else count(row.params),
            row.arch_id or "",
        )
        for row in rows
    ]
    columns = ("#", "Name", "Origin", "Accuracy#", "Against best baseline#", "MACs#", "Parameters#", "Architecture$")
    caption = "Trials by validation accuracy; differences in percentage points; baselines are marked."
    return table(caption, ("Rank#", *columns[1:]), cells, marked=[row.baseline for row in rows])


def _pictures(records: Sequence[TrialRecord]) -> str:
    best = [r for r in leaderboard(records, len(records)) if r.origin == "sampled"][:SHOWN]
    reference = best_baseline(records)
    shown = [*best[:1], *([reference] if reference else []), *best[1:]]
    if not shown:
        return "<p>No trial has been trained to its end.</p>"
    return '<div class="pictures">\n' + "\n".join(map(_picture, shown)) + "\n</div>"


def _picture(record: TrialRecord) -> str:
    kind = "best baseline" if record.origin == "baseline" else "found by the search"
    about = f"{kind}, {percent(record.value or 0.0)}"
    about += "".join(f", {count(record.cost[k])} {unit}" for k, unit in _COSTS if k in record.cost)
    try:
        return picture(draw_searched(record, title="").svg, trial_name(record), about)
    except InceptionSearchError as error:
        return f"<p>{text(trial_name(record))} cannot be drawn: {text(str(error))}</p>"


_COSTS = (("macs", "MACs"), ("params", "parameters"))


def _modules(records: Sequence[TrialRecord]) -> Iterator[tuple[str, str]]:
    """File name and SVG of the best module found and of every baseline that can be drawn."""
    best = next((r for r in leaderboard(records, len(records)) if r.origin == "sampled"), None)
    known = [("best.svg", best)] if best else []
    names: Counter[str] = Counter()
    for record in baselines(records):
        name = re.sub(r"[^a-z0-9_.-]+", "-", trial_name(record).lower()).strip("-.")[:80] or str(record.number)
        names[name] += 1
        again = f"-{record.number}" if names[name] > 1 else ""
        known.append((f"baseline-{name}{again}.svg", record))
    for name, record in known:
        try:
            yield name, draw_searched(record).svg
        except InceptionSearchError:
            continue  # the report says why


def _states(records: Sequence[TrialRecord]) -> str:
    rows = []
    for state, number in counts(records).items():
        reasons = Counter(r.reason for r in records if r.state == state and r.reason)
        told = [f"{reason} ({times})" for reason, times in sorted(reasons.items(), key=lambda i: (-i[1], i[0]))]
        more = [f"and {len(told) - REASONS} more"] if len(told) > REASONS else []
        rows.append((state, str(number), "; ".join(told[:REASONS] + more)))
    return table("How the trials ended.", ("State", "Trials#", "Reasons"), rows)


def _configuration(study: Mapping[str, Any]) -> str:
    return table("The study as it was run.", ("Setting", "Value$"), list(_flat(study, "")))


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every leaf of nested settings with its dotted path."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping | list | tuple) for item in value):
        for index, inner in enumerate(value):
            yield from _flat(inner, f"{path}.{index}")
    elif isinstance(value, list | tuple):
        yield path, ", ".join(map(str, value)) or "none"
    else:
        yield path, "none" if value is None or value == {} else str(value)
