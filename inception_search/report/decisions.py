"""Which decisions matter: rankings that were computed elsewhere, as bars and as tables."""

from __future__ import annotations

from inception_search.analysis.importance import Importance
from inception_search.figures.paint.svg import text
from inception_search.report.html import image, prose, table
from inception_search.report.material import Material

ROWS = 15  # of a ranking's table


def decisions_section(material: Material) -> str:
    """Each ranking with how it was found out; or why there is none."""
    if not material.rankings:
        return "<p>Not computed for this report.</p>"
    parts = [_ranking(ranking, number, material) for number, ranking in enumerate(material.rankings, start=1)]
    return "\n".join(parts)


def _ranking(ranking: Importance, number: int, material: Material) -> str:
    head = f"<h3>{text(ranking.title)}</h3>\n"
    if ranking.refusal is not None:
        return f"{head}<p>{prose(ranking.refusal)}</p>"
    rows = [(row.name, *row.cells) for row in ranking.rows[:ROWS]]
    drawn = image(material.plots[f"decisions-{number}"], f"{ranking.title}: {ranking.axis}.")
    left = len(ranking.rows) - len(rows)
    more = f"<p>{left} more {'has' if left == 1 else 'have'} less.</p>" if left else ""
    listed = table("In numbers.", (*ranking.columns,), rows, dense=True)
    return f"{head}<p>{prose(ranking.about)}</p>\n{drawn}\n{listed}{more}"
