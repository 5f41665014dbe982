"""Feasibility of a point: whether its network fits the images and the budget, and whether it is new."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from inception_search.errors import (
    InceptionSearchError,
    MapTooSmallError,
)
from inception_search.measures.budget import Budget
from inception_search.measures.measured_network import MeasuredNetwork, at_size
from inception_search.measures.sample_within import sample_within
from inception_search.space.contents import contained_point
from inception_search.space.holes import Params, Value
from inception_search.space.space import Space
from inception_search.spec.documents.parse import network_from_data
from inception_search.spec.identity.arch_id import arch_id, may_have_another_id
from inception_search.spec.network import Network
from inception_search.store.record import TRAINED, TrialRecord
from inception_search.strategies.protocol import Candidate
from inception_search.study.context import StudyContext
from inception_search.study.trial import UNFIT, judged, make_candidate

REMEMBERED = 4096  # cached points; the candidate of a large network takes about 100 kB
_SAMPLES = 64  # points sampled before the nearest one is repaired
Scores = Callable[[Network], Mapping[str, float]]


class Seen:
    """Architectures by id, with the number of the trial that trains each."""

    def __init__(self, records: Iterable[TrialRecord] = ()) -> None:
        self.numbers: dict[str, int] = {}
        for record in records:
            self.add(record)

    def start(self, arch_id: str, number: int) -> None:
        """Note that a trial trains this architecture."""
        self.numbers.setdefault(arch_id, number)

    def add(self, record: TrialRecord) -> None:
        """Note that a trial has ended."""
        if record.state in TRAINED and (known := present_id(record)) is not None:
            self.start(known, record.number)

    def first(self, arch_id: str | None) -> int | None:
        """The number of the trial with this architecture, or None."""
        return None if arch_id is None else self.numbers.get(arch_id)


def present_id(record: TrialRecord) -> str | None:
    """The current id of the record's network; an earlier version of the package may have recorded another."""
    if record.arch_id is None or not record.arch_id.startswith("a1-") or not may_have_another_id(record.network):
        return record.arch_id
    try:
        return arch_id(network_from_data(record.network))
    except InceptionSearchError:
        return record.arch_id


class Screen:
    """Turns points of the study's space into candidates; architectures in ``seen`` are not new.

    ``scores``: zero-cost proxies of a network, computed only if it can be trained.
    """

    def __init__(self, context: StudyContext, budget: Budget, seen: Seen, scores: Scores | None = None) -> None:
        self.context, self.budget, self.seen, self.scores = context, budget, seen, scores
        self.points: OrderedDict[frozenset[tuple[str, Value]], Candidate] = OrderedDict()

    def __call__(self, params: Params) -> Candidate:
        """The candidate at a point."""
        key = frozenset(params.items())
        found = self.points.get(key)
        if found is None:
            found = self.points[key] = self._candidate(dict(params))  # without the layout of an encoded point
            if len(self.points) > REMEMBERED:
                self.points.popitem(last=False)
        return replace(found, trial=self.seen.first(found.arch_id))

    def _candidate(self, params: Params) -> Candidate:
        context = self.context
        try:
            candidate = make_candidate(context.space.decode(params), params, context.shape, context.classes)
        except InceptionSearchError as error:
            if isinstance(error, MapTooSmallError):
                error.advice = None  # the image size is fixed, and finding a suitable one takes a tenth of a second
            return Candidate(params, None, None, {}, violation=UNFIT, reason=str(error))
        found = judged(candidate, self.budget)
        if found.measured is None or found.network is None:
            return found
        costs: dict[str, float] = {**found.cost}
        if found.reason is None and "latency" in context.config.objectives:
            found.measured.latency(self.budget.target)
        if (latency := found.measured.known_latency) is not None:
            costs["latency"] = latency
        if found.reason is None and self.scores is not None and self.seen.first(found.arch_id) is None:
            costs |= self.scores(found.network)
        return replace(found, cost=costs)


def make_excess(
    space: Space, budget: Budget, shape: tuple[int, int, int], classes: int
) -> Callable[[Params], float] | None:
    """A function for the relative excess of a point over the maxima that depend on widths, on (C, H, W) images.

    A negative excess is what remains of the limit. Latency is excluded, because it is measured. None if nothing else is
    limited.
    """
    maxima = budget.only(is_max=True, by_width=True).untimed
    if not any(maxima.limits()):
        return None

    def excess(params: Params) -> float:
        try:
            return maxima.excess(MeasuredNetwork(at_size(space.decode(params), shape, classes)))
        except InceptionSearchError:
            return UNFIT

    return excess


def check_feasible(space: Space, budget: Budget, shape: tuple[int, int, int], classes: int, *, baselines: bool) -> None:
    """Raise the first error if no point of ``space`` fits the images, or no sampled point the budget.

    Raises NotInSpaceError if a canonical module that the space lists is not in it. With ``baselines``, one of them
    within the budget is enough. If all sampled points are outside the budget, one that can be repaired is enough.
    """
    fixed = {label: contained_point(space, label) for label in space.fixed_points}
    for label, holes in fixed.items() if baselines else ():
        if judged(make_candidate(space.fixed_points[label], holes, shape, classes), budget).reason is None:
            return
    sample_within(space, budget, tries=_SAMPLES, shape=shape, classes=classes)
