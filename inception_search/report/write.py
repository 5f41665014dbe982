"""Writing a report: the page, and the figures as files beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from inception_search.credentials import masked_values
from inception_search.figures.plots.bars import bars
from inception_search.figures.plots.table import PLOTS, plot, plot_svg
from inception_search.report.front import front_plot
from inception_search.report.material import Material
from inception_search.report.modules import module_files
from inception_search.report.render import page
from inception_search.report.sections import SECTIONS
from inception_search.report.summary import summary
from inception_search.store.atomic import write_atomic
from inception_search.store.disk import explain
from inception_search.store.links import refuse_links
from inception_search.store.record import TrialRecord


def write_report(
    folder: str | Path, records: Sequence[TrialRecord], *, study: Mapping[str, Any], title: str, **known: Any
) -> list[Path]:
    """Write ``report.html`` and ``figures/*.svg`` into ``folder``; the paths written, the report first.

    Where ``folder`` is the name of an ``.html`` file, only the page is written, to that file.

    ``study`` is its configuration; ``known`` are other fields of :class:`Material`. The same material gives the
    same bytes. A network that cannot be drawn is named in the report, with the reason.
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
    html = page(title, lead, [(section.heading, section.make(material)) for section in SECTIONS])
    if page_only:
        write_atomic(target, html)
        return [target]
    written = [target / "report.html", *(figures / name for name in sorted(files))]
    for path, content in zip(written, (html, *(files[name] for name in sorted(files))), strict=True):
        write_atomic(path, content)
    return written


def _plots(material: Material) -> Iterator[tuple[str, str]]:
    """Name and SVG of every plot there is something to show in."""
    for name in PLOTS:
        yield name, plot_svg(plot(name, material.records), name)
    if (front := front_plot(material)) is not None:
        yield "front", plot_svg(front, "front")
    for number, ranking in enumerate(material.rankings, start=1):
        if ranking.rows:
            name = f"decisions-{number}"
            yield name, plot_svg(bars(ranking), name)
