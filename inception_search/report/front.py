"""The Pareto front: a plot with thumbnails of its modules, a table, and plots of all trials by cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inception_search.analysis.front import cost_front
from inception_search.errors import InceptionSearchError
from inception_search.figures.labels import count, number
from inception_search.figures.plots.front import FrontPoint, draw_front
from inception_search.figures.plots.style import amount, crowded
from inception_search.report.blocks import Block, Image, Picture, Pictures, Prose, Table
from inception_search.report.material import Material
from inception_search.report.modules import draw_small
from inception_search.store.query import merged, quality_words
from inception_search.store.record import TrialRecord, percent, trial_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COSTS = {
    "macs": "multiply-adds for one image",
    "params": "parameters",
    "activation_bytes": "bytes of activations for one image",
    "latency": "milliseconds for one image",
    "seconds": "seconds of training",
}
UNITS = {"macs": "MACs", "params": "parameters", "activation_bytes": "bytes", "latency": "ms", "seconds": "s"}
TRADEOFF = "Validation {} against multiply-adds and against parameters; the steps are the front of each pair."
MOST = 30  # rows in the table of the front
PICTURES = 24  # points with a thumbnail; a front may have hundreds
NUMBERED = 100  # in a larger front, only points with thumbnails are numbered in the plot


@dataclass(frozen=True)
class _Axis:
    name: str
    words: str

    def of(self, record: TrialRecord) -> float | None:
        known: dict[str, float] = {**record.cost, **record.objectives}
        return known.get(self.name)


def front_section(material: Material) -> list[Block]:
    """The plot of the front, the thumbnails of its points, its table, and the two plots of cost."""
    members, axis, words = front_members(material), _axis(material), quality_words(material.records)
    if "front" not in material.plots:
        return [Prose("No trial has been trained to the last epoch, so there is no front yet.")]
    caption = "Numbered by increasing cost; no trained network is better than one of them in every objective."
    if len(members) > PICTURES:
        caption += f" Figures of {PICTURES} of the {len(members)} are shown."
    crowd = crowded(material.records)
    plot = Image(material.plots["front"], caption + crowd + _volume(material))
    cards = [_card(place, members[place - 1], axis, material) for place in pictured(len(members))]
    rows = [_row(place, record, axis) for place, record in enumerate(members[:MOST], start=1)]
    columns = ("Point#", "Name", f"{words[0].upper()}{words[1:]}#", *_cost_titles(axis), "Architecture$")
    listed = Table("The front.", columns, rows, [record.origin == "baseline" for record in members])
    costs = Image(material.plots["tradeoff"], TRADEOFF.format(words) + crowd)
    return [plot, Pictures(cards, small=True), listed, costs]


def front_plot(material: Material) -> Figure | None:
    """The plot of the front; None if there is no front yet."""
    axis = _axis(material)
    known = [record for record in merged(material.records) if record.state == "complete"]
    members = {record.number: place for place, record in enumerate(front_members(material), start=1)}
    points = [
        FrontPoint(cost, record.score or 0.0, record.origin == "baseline", members.get(record.number))
        for record in known
        if (cost := axis.of(record)) is not None and cost > 0
    ]
    if not any(point.place for point in points):
        return None
    numbered = members.values() if len(members) <= NUMBERED else pictured(len(members))
    return draw_front(points, list(numbered), axis.words, quality_words(known))


def pictured(number: int) -> list[int]:
    """The positions on a front of ``number`` points that get a thumbnail: both ends and evenly spaced ones between."""
    if number <= PICTURES:
        return list(range(1, number + 1))
    return [1 + round(at * (number - 1) / (PICTURES - 1)) for at in range(PICTURES)]


def _card(place: int, record: TrialRecord, axis: _Axis, material: Material) -> Picture:
    """The thumbnail of a point with its name and values."""
    value, name = axis.of(record), f"{place}. {trial_name(record)}"
    about = percent(record.score or 0.0) + ("" if value is None else f", {amount(value)} {UNITS[axis.name]}")
    try:
        drawn = draw_small(record, material.varying)
    except InceptionSearchError:
        return Picture("", name, f"{about}; not drawn", 0)
    return Picture(drawn.svg, name, about, drawn.width)


def front_members(material: Material) -> list[TrialRecord]:
    """The trials on the front, cheapest first."""
    records, axis = merged(material.records), _axis(material)
    if material.front is None:
        return cost_front(records)
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
