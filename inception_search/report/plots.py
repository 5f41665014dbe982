"""The sections with plots: the history of the search, learning curves, and the importance of decisions."""

from __future__ import annotations

from collections.abc import Iterator

from inception_search.analysis.importance import Importance
from inception_search.figures.plots.style import crowded
from inception_search.report.blocks import Block, Heading, Image, Prose, Table
from inception_search.report.material import Material
from inception_search.store.query import quality_words

HISTORY = (
    "Validation {} of each trial by its number, with the best so far and the baselines. "
    "A tick at the bottom is a trial that was not trained to the last epoch."
)
CURVES = "Validation {} by epoch of the best trials, and of the baselines (dashed)."


def history_section(material: Material) -> list[Block]:
    """The plot of accuracy by trial number."""
    about = HISTORY.format(quality_words(material.records)) + crowded(material.records)
    return [Image(material.plots["history"], about)]


def curves_section(material: Material) -> list[Block]:
    """The plot of accuracy by epoch."""
    return [Image(material.plots["curves"], CURVES.format(quality_words(material.records)) + _measured_on(material))]


def _measured_on(material: Material) -> str:
    """A sentence about the number of images per point, if it differs between points."""
    best = material.best
    if best is None:
        return ""
    sizes = best.data.get("sizes")
    images = sizes.get("validation") if isinstance(sizes, dict) else None
    some = best.fidelity.get("curve_images")
    if not isinstance(images, int) or not isinstance(some, int) or some >= images:
        return ""
    ends = f" The last point of each, and one where a trial paused, is measured on all {images:,} validation images"
    return f"{ends}, the others on {some:,} of them."


DECISIONS = 15  # rows in the table of a ranking


def decisions_section(material: Material) -> list[Block]:
    """Each ranking with its method, or the reason why there is none."""
    if not material.rankings:
        return [Prose("Not computed for this report.")]
    numbered = enumerate(material.rankings, start=1)
    return [block for number, ranking in numbered for block in _ranking(ranking, number, material)]


def _ranking(ranking: Importance, number: int, material: Material) -> Iterator[Block]:
    yield Heading(ranking.title)
    if ranking.refusal is not None:
        yield Prose(ranking.refusal)
        return
    rows = [(row.name, *row.cells) for row in ranking.rows[:DECISIONS]]
    yield Prose(ranking.about)
    yield Image(material.plots[f"decisions-{number}"], f"{ranking.title}: {ranking.axis}.")
    yield Table("The same as numbers.", ranking.columns, rows, dense=True)
    if left := len(ranking.rows) - len(rows):
        yield Prose(f"The {'other one matters' if left == 1 else f'other {left} matter'} less.")
