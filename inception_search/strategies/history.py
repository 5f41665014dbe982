"""The observations of a strategy, by trial number, and their ranking."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from itertools import groupby

from inception_search.analysis.pareto import crowding, ranks
from inception_search.strategies.protocol import Observation


class History:
    """The latest observation of every trial, by number and in the order in which trials ended."""

    def __init__(self) -> None:
        self.by_number: dict[int, Observation] = {}
        self.ended: list[Observation] = []
        """Trials with losses, in the order in which they ended."""
        self._ordered: list[tuple[float, ...]] = []  # the sort keys of ``ended``
        self._running: dict[int, Observation] = {}
        self._place: dict[int, int] = {}  # of a trial in ``by_number``

    def tell(self, observation: Observation) -> None:
        """Store an observation; a trial that ends again, for example after a promotion, moves to the end."""
        before = self.by_number.get(observation.number)
        if before is not None and before.losses is not None:
            self.ended.remove(before)
            self._ordered.remove(_order(before))
        self.by_number[observation.number] = observation
        self._place.setdefault(observation.number, len(self._place))
        self._running.pop(observation.number, None)
        if observation.state == "running":
            self._running[observation.number] = observation
        if observation.losses is not None:
            self.ended.append(observation)
            insort(self._ordered, _order(observation))

    @property
    def running(self) -> list[Observation]:
        """Trials that are being trained, in the order in which they first began."""
        return sorted(self._running.values(), key=lambda observation: self._place[observation.number])

    def best(self) -> Observation | None:
        """The best trial of a study of one objective, or None."""
        return min(self.ended, key=lambda observation: observation.rank, default=None)

    def best_few(self, most: int) -> list[Observation]:
        """The first ``most`` of :func:`best_first`; with one objective, without sorting all trials."""
        if len(self.ended) > 0 and len(self.ended[0].losses or ()) > 1:
            return best_first(self.ended)[:most]
        return [self.by_number[int(key[-1])] for key in self._ordered[:most]]


def best_first(ended: Iterable[Observation]) -> list[Observation]:
    """Trials with losses from best to worst: longer trained ones first, because the others were stopped as worse.

    Trials with equal epochs are sorted by loss; with several objectives by nondomination rank, then crowding distance
    (Deb et al., NSGA-II, IEEE TEC 2002).
    """
    observations = sorted(ended, key=_order)
    if not observations or len(observations[0].losses or ()) == 1:
        return observations
    by_epochs = groupby(observations, lambda each: each.epochs)
    return [each for _, group in by_epochs for each in _by_front(list(group))]


def _order(observation: Observation) -> tuple[float, ...]:
    return (*observation.rank, observation.number)


def leaders(ended: Iterable[Observation]) -> list[Observation]:
    """The nondominated ones of the trials that were trained longest, by number."""
    ordered = list(ended)
    most = max((observation.epochs for observation in ordered), default=0)
    longest = sorted((each for each in ordered if each.epochs == most), key=lambda each: each.number)
    return [each for each, rank in zip(longest, ranks(_losses(longest)), strict=True) if rank == 0]


def _by_front(observations: Sequence[Observation]) -> list[Observation]:
    losses = _losses(observations)
    fronts: dict[int, list[int]] = {}
    for index, rank in enumerate(ranks(losses)):
        fronts.setdefault(rank, []).append(index)
    ordered: list[Observation] = []
    for rank in sorted(fronts):
        room = crowding([losses[index] for index in fronts[rank]])
        keys = {index: (-gap, observations[index].number) for index, gap in zip(fronts[rank], room, strict=True)}
        ordered += [observations[index] for index in sorted(keys, key=keys.__getitem__)]
    return ordered


def _losses(observations: Sequence[Observation]) -> list[tuple[float, ...]]:
    return [each.losses for each in observations if each.losses is not None]
