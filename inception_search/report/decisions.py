"""Which decisions matter: rankings that were computed elsewhere, as bars and as tables."""

from __future__ import annotations

from collections.abc import Iterator

from inception_search.analysis.importance import Importance
from inception_search.report.blocks import Block, Heading, Image, Prose, Table
from inception_search.report.material import Material

ROWS = 15  # of a ranking's table


def decisions_section(material: Material) -> list[Block]:
    """Each ranking with how it was found out; or why there is none."""
    if not material.rankings:
        return [Prose("Not computed for this report.")]
    numbered = enumerate(material.rankings, start=1)
    return [block for number, ranking in numbered for block in _ranking(ranking, number, material)]


def _ranking(ranking: Importance, number: int, material: Material) -> Iterator[Block]:
    yield Heading(ranking.title)
    if ranking.refusal is not None:
        yield Prose(ranking.refusal)
        return
    rows = [(row.name, *row.cells) for row in ranking.rows[:ROWS]]
    yield Prose(ranking.about)
    yield Image(material.plots[f"decisions-{number}"], f"{ranking.title}: {ranking.axis}.")
    yield Table("In numbers.", ranking.columns, rows, dense=True)
    if left := len(ranking.rows) - len(rows):
        yield Prose(f"The {'other one matters' if left == 1 else f'other {left} matter'} less.")
