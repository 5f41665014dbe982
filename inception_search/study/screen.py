"""What is known of a point before it is trained: its network, its identity, its cost, whether it may be trained."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace

from inception_search.errors import InceptionSearchError, MapTooSmallError
from inception_search.measures.budget import Budget
from inception_search.space.holes import Params, Value
from inception_search.space.space import Space
from inception_search.spec.network import Network
from inception_search.strategies.protocol import Screened
from inception_search.study.candidate import UNFIT, Candidate, make_candidate
from inception_search.study.dedupe import Seen
from inception_search.study.setting import Setting

REMEMBERED = 4096  # points; a candidate of a large network is some 100 kB
Scores = Callable[[Network], Mapping[str, float]]


class Screen:
    """Answers for points of ``space``; the architectures in ``seen`` are known ones.

    ``scores``: zero-cost proxies of a network, asked for only where it could be trained.
    """

    def __init__(
        self, space: Space, setting: Setting, budget: Budget, seen: Seen, scores: Scores | None = None
    ) -> None:
        self.space, self.setting, self.budget, self.seen, self.scores = space, setting, budget, seen, scores
        self.points: OrderedDict[frozenset[tuple[str, Value]], tuple[Screened, Candidate | None]] = OrderedDict()

    def __call__(self, params: Params) -> Screened:
        """What is known of a point."""
        return self.looked_at(params)[0]

    def looked_at(self, params: Params) -> tuple[Screened, Candidate | None]:
        """The same, with the candidate where there is one."""
        key = frozenset(params.items())
        found = self.points.get(key)
        if found is None:
            found = self.points[key] = self._look(params)
            if len(self.points) > REMEMBERED:
                self.points.popitem(last=False)
        screened, candidate = found
        return replace(screened, trial=self.seen.first(screened.arch_id)), candidate

    def _look(self, params: Params) -> tuple[Screened, Candidate | None]:
        try:
            network = self.space.decode(params)
            candidate = make_candidate(network, params, self.setting.shape, self.setting.classes)
        except InceptionSearchError as error:
            if isinstance(error, MapTooSmallError):
                error.advice = None  # a search has one size of images, and finding another takes a tenth of a second
            return Screened(params, None, None, {}, violation=UNFIT, reason=str(error)), None
        outside = candidate.violation(self.budget)
        if outside is not None:
            violation, reason = outside
            costs = candidate.known(self.budget, latency=False)
            return Screened(params, network, candidate.arch_id, costs, None, violation, reason), candidate
        costs = candidate.known(self.budget, latency="latency" in self.setting.config.objectives)
        if self.scores is not None and self.seen.first(candidate.arch_id) is None:
            costs = {**costs, **self.scores(candidate.network)}
        return Screened(params, network, candidate.arch_id, costs), candidate
