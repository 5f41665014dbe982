"""The pictures of what trials searched: large ones, and a small one for a plot."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from inception_search.errors import InceptionSearchError
from inception_search.figures.draw import draw
from inception_search.figures.figure import Figure
from inception_search.report.material import Material
from inception_search.spec.document import network_from_data
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep
from inception_search.store.display import trial_name
from inception_search.store.query import baselines
from inception_search.store.record import TrialRecord

MODULE = "module"  # the name of the searched block in a study's networks


def searched(record: TrialRecord) -> tuple[Network, AnyStep | None]:
    """The network of a trial, and its searched block; None where it has no block called ``module``.

    Raises an :class:`InceptionSearchError` when the record holds no network that can be read.
    """
    if record.network is None:
        raise InceptionSearchError("the trial has no network", path=trial_name(record))
    network = network_from_data(record.network)
    return network, network.blocks.get(MODULE)


def draw_searched(record: TrialRecord, title: str | None = None) -> Figure:
    """The module a trial searched, or its network where it has no block called ``module``.

    Raises an :class:`InceptionSearchError` when the record holds no network that can be drawn.
    """
    network, module = searched(record)
    heading = trial_name(record) if title is None else title
    if module is not None:
        return draw(module, network=network, title=heading)
    return draw(network, title=heading)


def module_files(material: Material) -> Iterator[tuple[str, str]]:
    """File name and SVG of the best module found and of every baseline that can be drawn."""
    known: list[tuple[str, TrialRecord]] = [("best.svg", material.best)] if material.best else []
    known += _baseline_files(material.records)
    for name, record in known:
        try:
            yield name, draw_searched(record).svg
        except InceptionSearchError:
            continue  # the report says why


def _baseline_files(records: Sequence[TrialRecord]) -> Iterator[tuple[str, TrialRecord]]:
    names: Counter[str] = Counter()
    for record in baselines(records):
        name = re.sub(r"[^a-z0-9_.-]+", "-", trial_name(record).lower()).strip("-.")[:80] or str(record.number)
        names[name] += 1
        again = f"-{record.number}" if names[name] > 1 else ""
        yield f"baseline-{name}{again}.svg", record
