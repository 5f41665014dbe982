"""The Pareto front: its points with small pictures of their modules, in numbers, and all trials by cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inception_search.errors import InceptionSearchError
from inception_search.figures.labels import count, number
from inception_search.figures.plots.front import BELOW, PICTURES, FrontPoint, Member, draw_front, pictured
from inception_search.figures.plots.style import crowded
from inception_search.figures.plots.tradeoff import pareto_front
from inception_search.figures.thumbnail import Thumbnail
from inception_search.report.html import image, inline, table
from inception_search.report.material import Material
from inception_search.report.modules import draw_small
from inception_search.store.query import merged, quality_words
from inception_search.store.record import TrialRecord, percent, trial_name

COSTS = {
    "macs": "multiply-adds for one image",
    "params": "parameters",
    "activation_bytes": "bytes of activations for one image",
    "latency": "milliseconds for one image",
    "seconds": "seconds of training",
}
TRADEOFF = "Validation {} against multiply-adds and against parameters; the steps are the front of each pair."
MOST = 30  # rows of the front's table


@dataclass(frozen=True)
class _Axis:
    name: str
    words: str

    def of(self, record: TrialRecord) -> float | None:
        known: dict[str, float] = {**record.cost, **record.objectives}
        return known.get(self.name)


def front_section(material: Material) -> str:
    """The picture of the front, its table, and the two plots of cost."""
    members, axis, words = front_members(material), _axis(material), quality_words(material.records)
    if "front" not in material.plots:
        return "<p>No trial has been trained to its end, so there is no front yet.</p>"
    told = "Numbered from the cheapest to the dearest; nothing that was trained beats any of them in every objective."
    if len(members) > PICTURES + BELOW:
        told += f" {PICTURES + BELOW} of the {len(members)} have room for their pictures."
    crowd = crowded(material.records)
    picture = f"{inline(material.plots['front'])}\n<p>{told}{crowd}{_volume(material)}</p>"
    rows = [_row(place, record, axis) for place, record in enumerate(members[:MOST], start=1)]
    columns = ("Point#", "Name", f"{words[0].upper()}{words[1:]}#", *_cost_titles(axis), "Architecture$")
    listed = table("The front.", columns, rows, marked=[record.origin == "baseline" for record in members])
    return f"{picture}\n{listed}\n{image(material.plots['tradeoff'], TRADEOFF.format(words) + crowd)}"


def front_svg(material: Material) -> str | None:
    """The picture of the front; None while there is none."""
    axis = _axis(material)
    known = [record for record in merged(material.records) if record.state == "complete"]
    placed = [(record, cost) for record in known if (cost := axis.of(record)) is not None and cost > 0]
    members = {record.number: place for place, record in enumerate(front_members(material), start=1)}
    points = [
        FrontPoint(cost, record.score or 0.0, record.origin == "baseline", members.get(record.number))
        for record, cost in placed
    ]
    if not any(point.place for point in points):
        return None
    shown = [(record, cost) for record, cost in placed if record.number in members]
    shown.sort(key=lambda found: members[found[0].number])
    drawn = {at for places in pictured(len(shown)) for at in places}
    pictures = [
        Member(
            place=members[record.number],
            name=trial_name(record),
            cost=cost,
            accuracy=record.score or 0.0,
            baseline=record.origin == "baseline",
            picture=_thumbnail(record, material.varying) if at in drawn else None,
        )
        for at, (record, cost) in enumerate(shown)
    ]
    return draw_front(points, pictures, axis.words, quality_words(known))


def front_members(material: Material) -> list[TrialRecord]:
    """The trials on the front, cheapest first."""
    records, axis = merged(material.records), _axis(material)
    if material.front is None:
        return pareto_front(records)
    numbers = set(material.front)
    chosen = [record for record in records if record.number in numbers]
    return sorted(chosen, key=lambda r: (axis.of(r) or 0.0, -(r.score or 0.0), r.number))


def _axis(material: Material) -> _Axis:
    """The first of the study's objectives that is a cost, else multiply-adds."""
    names = [str(name) for name in material.option("objectives") or ()] if material.front is not None else []
    name = next((name for name in names if name in COSTS), "macs")
    return _Axis(name, COSTS[name])


def _cost_titles(axis: _Axis) -> tuple[str, ...]:
    more = (f"{axis.words}#",) if axis.name not in ("macs", "params") else ()
    return (*more, "MACs#", "Parameters#")


def _row(place: int, record: TrialRecord, axis: _Axis) -> tuple[str, ...]:
    costs = [count(record.cost[name]) if name in record.cost else "" for name in ("macs", "params")]
    value = axis.of(record)
    more = [] if axis.name in ("macs", "params") else ["" if value is None else number(value)]
    accuracy = percent(record.score or 0.0)
    return (str(place), trial_name(record), accuracy, *more, *costs, record.arch_id or "")


def _volume(material: Material) -> str:
    volume = material.hypervolume
    return "" if volume is None else f" Hypervolume {volume:.6g}, from the reference point in the configuration."


def _thumbnail(record: TrialRecord, varying: Sequence[str]) -> Thumbnail | None:
    """What a trial searched, small; None where it cannot be drawn."""
    try:
        return draw_small(record, varying)
    except InceptionSearchError:
        return None
