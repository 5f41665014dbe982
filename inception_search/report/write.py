"""Writes a report: the page with its sections, and the figures as files."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inception_search.credentials import masked_values
from inception_search.figures.paint.svg import clean, text
from inception_search.figures.plots.bars import bars
from inception_search.figures.plots.table import PLOTS, plot, plot_svg
from inception_search.report.blocks import Block
from inception_search.report.failures import failures_section
from inception_search.report.front import front_plot, front_section
from inception_search.report.latency import latency_section
from inception_search.report.material import Material
from inception_search.report.modules import baselines_section, module_files
from inception_search.report.plots import curves_section, decisions_section, history_section
from inception_search.report.recipe import recipe_section
from inception_search.report.setup import configuration_section, environment_section, reproduce_section
from inception_search.report.summary import summary
from inception_search.report.trials import leaders_section, trials_section
from inception_search.store.atomic import write_atomic
from inception_search.store.disk import explain
from inception_search.store.links import refuse_links
from inception_search.store.record import TrialRecord

if TYPE_CHECKING:
    from jinja2 import Environment


class Section(NamedTuple):
    """A heading, and the function that makes the blocks below it."""

    heading: str
    make: Callable[[Material], list[Block]]


SECTIONS: tuple[Section, ...] = (
    Section("What was searched, and how", recipe_section),
    Section("Best network found and baselines", baselines_section),
    Section("Leaderboard", leaders_section),
    Section("Pareto front", front_section),
    Section("Latency", latency_section),
    Section("History", history_section),
    Section("Learning curves", curves_section),
    Section("Which decisions matter", decisions_section),
    Section("How the trials ended", failures_section),
    Section("All trials", trials_section),
    Section("Environment", environment_section),
    Section("How to reproduce this study", reproduce_section),
    Section("Configuration", configuration_section),
)


def write_report(
    folder: str | Path, records: Sequence[TrialRecord], *, study: Mapping[str, Any], title: str, **known: Any
) -> list[Path]:
    """Write ``report.html`` and ``figures/*.svg`` into ``folder``; return the written paths, the report first.

    If ``folder`` is the name of an ``.html`` file, only the page is written, to that file.

    ``study`` is its configuration; ``known`` are other fields of :class:`Material`. The same material gives the same
    bytes. For a network that cannot be drawn, the report shows the reason.
    """
    target = Path(folder)
    refuse_links(target)
    page_only = target.suffix == ".html"
    figures = target.parent if page_only else target / "figures"
    try:
        figures.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain(error, figures) from error
    material = Material(records, masked_values(study), title, **known)
    material = replace(material, plots=dict(_plots(material)))
    files = {**dict(module_files(material)), **{f"{name}.svg": svg for name, svg in material.plots.items()}}
    lead = " ".join(filter(None, (material.state, summary(records))))
    sections = [(section.heading, section.make(material)) for section in SECTIONS]
    html = page(title, lead, [(heading, blocks) for heading, blocks in sections if blocks])
    if page_only:
        write_atomic(target, html)
        return [target]
    written = [target / "report.html", *(figures / name for name in sorted(files))]
    for path, content in zip(written, (html, *(files[name] for name in sorted(files))), strict=True):
        write_atomic(path, content)
    return written


def _plots(material: Material) -> Iterator[tuple[str, str]]:
    """Name and SVG of every plot that is not empty."""
    for name in PLOTS:
        yield name, plot_svg(plot(name, material.records), name)
    if (front := front_plot(material)) is not None:
        yield "front", plot_svg(front, "front")
    for number, ranking in enumerate(material.rankings, start=1):
        if ranking.rows:
            name = f"decisions-{number}"
            yield name, plot_svg(bars(ranking), name)


def page(title: str, lead: str, sections: Iterable[tuple[str, Sequence[Block]]]) -> str:
    """An HTML document of headings and their blocks; all text is plain and is escaped."""
    return _environment().get_template("report.html").render(title=title, lead=lead, sections=list(sections))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("inception_search.report"),
        autoescape=True,
        finalize=_cleaned,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"prose": _prose, "data_url": _data_url, "zip": zip}
    return environment


def _cleaned(value: Any) -> Any:
    """Texts without invisible characters; finished HTML unchanged."""
    return clean(value) if type(value) is str else value


@lru_cache(maxsize=4096)
def _prose(words: str) -> Any:
    """``words`` escaped, with text between backticks as code."""
    from markupsafe import Markup

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", text(words)))


def _data_url(svg: str) -> str:
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
