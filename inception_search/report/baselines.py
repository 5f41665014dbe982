"""The best module found and the canonical ones, as pictures of one scale."""

from __future__ import annotations

from collections.abc import Sequence

from inception_search.analysis.leaderboard import points
from inception_search.errors import InceptionSearchError
from inception_search.figures.labels import count
from inception_search.figures.paint.svg import text
from inception_search.report.html import picture
from inception_search.report.material import Material
from inception_search.report.modules import draw_searched
from inception_search.store.query import leaderboard
from inception_search.store.record import TrialRecord, percent, trial_name

COSTS = (("macs", "MACs"), ("params", "parameters"))
CANONICAL = 12  # baselines drawn, the best first


def baselines_section(material: Material) -> str:
    """The best found first, then the baselines by their accuracy; each with what sets it apart from the best found."""
    best = material.best
    ranked = leaderboard(material.records, len(material.records))
    canonical = [record for record in ranked if record.origin == "baseline"]
    shown = ([best] if best else []) + canonical[:CANONICAL]
    if not shown:
        return "<p>No trial has been trained to its end.</p>"
    pictures = "\n".join(_picture(record, best, material.varying) for record in shown)
    left = len(canonical) - CANONICAL
    more = f"<p>{left} more baselines are in the leaderboard.</p>" if left > 0 else ""
    return (
        "<p>All pictures have the same scale; accuracy is on the validation images.</p>\n"
        f'<div class="pictures">\n{pictures}\n</div>{more}'
    )


def _picture(record: TrialRecord, best: TrialRecord | None, varying: Sequence[str]) -> str:
    found = record.origin != "baseline"
    costs = "".join(f", {count(record.cost[name])} {unit}" for name, unit in COSTS if name in record.cost)
    about = f"{'best found by the search' if found else 'canonical'}: {percent(record.score or 0.0)}{costs}"
    try:
        drawn = draw_searched(record, "", varying)
    except InceptionSearchError as error:
        return f"<p>{text(trial_name(record))} cannot be drawn: {text(str(error))}</p>"
    against = "" if found or best is None else _against(record, best)
    return picture(drawn.svg, trial_name(record), f"{about}. {against}", width=drawn.width, marked=found)


def _against(record: TrialRecord, best: TrialRecord) -> str:
    """What the best found has against a baseline."""
    told = f"The best found: {points((best.score or 0.0) - (record.score or 0.0))} points"
    for name, unit in COSTS:
        if record.cost.get(name) and name in best.cost:
            told += f", {best.cost[name] / record.cost[name]:.2f} times the {unit}"
    return told + "."
