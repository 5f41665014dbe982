"""Figures of the modules that trials searched: the best next to the baselines, and thumbnails for the front."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from inception_search.analysis.leaderboard import points
from inception_search.errors import InceptionSearchError
from inception_search.figures.draw import draw, draw_modules, modules_of
from inception_search.figures.figure import Figure
from inception_search.figures.labels import count
from inception_search.figures.thumbnail import Thumbnail, network_thumbnail, thumbnail
from inception_search.report.blocks import Block, Picture, Pictures, Prose
from inception_search.report.material import VARYING, Material
from inception_search.spec.documents.parse import network_from_data
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Concat, Dag, chain, children
from inception_search.store.query import baselines, leaderboard
from inception_search.store.record import TrialRecord, percent, trial_name

MOST = 3  # modules in a figure; if more vary, the whole network is drawn


def searched(record: TrialRecord, varying: Collection[str] = VARYING) -> tuple[Network, list[tuple[str, AnyStep]]]:
    """The network of a trial, and its modules that the search varies, with their names and in order.

    ``varying`` are the names of blocks and stages with decisions. A module is a part with branches, or the only part
    that varies. The list is empty if several parts without branches vary, or if more modules vary than a figure can
    show; then the whole network should be drawn.

    Raises an :class:`InceptionSearchError` if the record holds no readable network.
    """
    if record.network is None:
        raise InceptionSearchError("the trial has no network", path=trial_name(record))
    network = network_from_data(record.network)
    known = [(names, step) for names, step in modules_of(network) if _number_in(names, varying)]
    found = [(names, step) for names, step in known if _branches(step)] or (known if len(varying) == 1 else [])
    places = sum(_number_in(names, varying) for names, _ in found)  # also counts parts that happen to be equal
    return network, [(names[0], step) for names, step in found] if places <= MOST else []


def draw_searched(record: TrialRecord, title: str | None = None, varying: Collection[str] = VARYING) -> Figure:
    """A figure of the modules that a trial searched, or of its network if :func:`searched` finds no modules.

    Raises an :class:`InceptionSearchError` if the network cannot be drawn.
    """
    network, modules = searched(record, varying)
    heading = trial_name(record) if title is None else title
    if len(modules) == 1:
        return draw(modules[0][1], network=network, title=heading)
    return draw_modules(network, [name for name, _ in modules], heading) if modules else draw(network, title=heading)


def draw_small(record: TrialRecord, varying: Collection[str]) -> Thumbnail:
    """A thumbnail for the front with the content of :func:`draw_searched`; several modules are chained.

    Raises an :class:`InceptionSearchError` if the network cannot be drawn.
    """
    network, modules = searched(record, varying)
    if not modules:
        return network_thumbnail(network, trial_name(record))
    return thumbnail(chain(*(step for _, step in modules)), network, trial_name(record))


def _number_in(names: Sequence[str], varying: Collection[str]) -> int:
    return len({name.partition(".")[0] for name in names} & set(varying))


def _branches(step: AnyStep) -> bool:
    return isinstance(step, Concat | Dag) or any(_branches(part) for _, part in children(step))


def module_files(material: Material) -> Iterator[tuple[str, str]]:
    """File name and SVG of the best module found and of every baseline that can be drawn."""
    known: list[tuple[str, TrialRecord]] = [("best.svg", material.best)] if material.best else []
    known += _baseline_files(material.records)
    for name, record in known:
        try:
            yield name, draw_searched(record, varying=material.varying).svg
        except InceptionSearchError:
            continue  # the report shows the reason


def _baseline_files(records: Sequence[TrialRecord]) -> Iterator[tuple[str, TrialRecord]]:
    names: Counter[str] = Counter()
    for record in baselines(records):
        name = re.sub(r"[^a-z0-9_.-]+", "-", trial_name(record).lower()).strip("-.")[:80] or str(record.number)
        names[name] += 1
        again = f"-{record.number}" if names[name] > 1 else ""
        yield f"baseline-{name}{again}.svg", record


COSTS = (("macs", "MACs"), ("params", "parameters"))
CANONICAL = 12  # baselines drawn, the best first


def baselines_section(material: Material) -> list[Block]:
    """The best found network, then the best baselines, each compared with the best found."""
    best = material.best
    ranked = leaderboard(material.records, len(material.records))
    canonical = [record for record in ranked if record.origin == "baseline"]
    shown = ([best] if best else []) + canonical[:CANONICAL]
    if not shown:
        return [Prose("No trial has been trained to the last epoch.")]
    left = len(canonical) - CANONICAL
    return [
        Prose("All figures have the same scale; accuracy is measured on the validation images."),
        Pictures([_picture(record, best, material.varying) for record in shown]),
        *([Prose(f"{left} more baselines are in the leaderboard.")] if left > 0 else []),
    ]


def _picture(record: TrialRecord, best: TrialRecord | None, varying: Sequence[str]) -> Picture:
    found = record.origin != "baseline"
    costs = "".join(f", {count(record.cost[name])} {unit}" for name, unit in COSTS if name in record.cost)
    about = f"{'best network found' if found else 'canonical'}: {percent(record.score or 0.0)}{costs}"
    try:
        drawn = draw_searched(record, "", varying)
    except InceptionSearchError as error:
        return Picture("", trial_name(record), f"cannot be drawn: {error}", 0)
    against = "" if found or best is None else _against(record, best)
    return Picture(drawn.svg, trial_name(record), f"{about}. {against}", drawn.width, marked=found)


def _against(record: TrialRecord, best: TrialRecord) -> str:
    """A sentence that compares the best found network with a baseline."""
    sentence = f"The best network found: {points((best.score or 0.0) - (record.score or 0.0))} points"
    for name, unit in COSTS:
        if record.cost.get(name) and name in best.cost:
            sentence += f", {best.cost[name] / record.cost[name]:.2f} times the {unit}"
    return sentence + "."
