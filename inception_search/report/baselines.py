"""The best module found and the canonical ones, as pictures of one scale."""

from __future__ import annotations

from collections.abc import Sequence

from inception_search.analysis.leaderboard import points
from inception_search.errors import InceptionSearchError
from inception_search.figures.labels import count
from inception_search.report.blocks import Block, Picture, Pictures, Prose
from inception_search.report.material import Material
from inception_search.report.modules import draw_searched
from inception_search.store.query import leaderboard
from inception_search.store.record import TrialRecord, percent, trial_name

COSTS = (("macs", "MACs"), ("params", "parameters"))
CANONICAL = 12  # baselines drawn, the best first


def baselines_section(material: Material) -> list[Block]:
    """The best found first, then the baselines by their accuracy; each with what sets it apart from the best found."""
    best = material.best
    ranked = leaderboard(material.records, len(material.records))
    canonical = [record for record in ranked if record.origin == "baseline"]
    shown = ([best] if best else []) + canonical[:CANONICAL]
    if not shown:
        return [Prose("No trial has been trained to its end.")]
    left = len(canonical) - CANONICAL
    return [
        Prose("All pictures have the same scale; accuracy is on the validation images."),
        Pictures([_picture(record, best, material.varying) for record in shown]),
        *([Prose(f"{left} more baselines are in the leaderboard.")] if left > 0 else []),
    ]


def _picture(record: TrialRecord, best: TrialRecord | None, varying: Sequence[str]) -> Picture:
    found = record.origin != "baseline"
    costs = "".join(f", {count(record.cost[name])} {unit}" for name, unit in COSTS if name in record.cost)
    about = f"{'best found by the search' if found else 'canonical'}: {percent(record.score or 0.0)}{costs}"
    try:
        drawn = draw_searched(record, "", varying)
    except InceptionSearchError as error:
        return Picture("", trial_name(record), f"cannot be drawn: {error}", 0)
    against = "" if found or best is None else _against(record, best)
    return Picture(drawn.svg, trial_name(record), f"{about}. {against}", drawn.width, marked=found)


def _against(record: TrialRecord, best: TrialRecord) -> str:
    """What the best found has against a baseline."""
    told = f"The best found: {points((best.score or 0.0) - (record.score or 0.0))} points"
    for name, unit in COSTS:
        if record.cost.get(name) and name in best.cost:
            told += f", {best.cost[name] / record.cost[name]:.2f} times the {unit}"
    return told + "."
