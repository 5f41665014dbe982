"""From a trial to a candidate: the network at the data's size, its identity, its measures, whether it is affordable."""

from __future__ import annotations

from dataclasses import dataclass

from inception_search.errors import InceptionSearchError, LimitError, ShapeError
from inception_search.graph.cost import Cost
from inception_search.measures.budget import Budget
from inception_search.measures.subject import Subject, at_size
from inception_search.space.holes import Params
from inception_search.spec.identity import arch_id
from inception_search.spec.network import Network

UNFIT = 1.0  # how far outside (relative) a network counts that cannot be built at all


@dataclass(frozen=True)
class Candidate:
    """A network on the study's images; without a cost when it does not fit them, for the reason ``unfit``."""

    network: Network
    holes: Params
    arch_id: str
    subject: Subject
    cost: Cost | None
    unfit: str | None = None

    def violation(self, budget: Budget) -> tuple[float, str] | None:
        """How far outside what can be trained (relative) and in which words; None if it can be trained."""
        if self.cost is None:
            return UNFIT, self.unfit or "it cannot be built"
        try:
            return budget.violation(self.subject)
        except InceptionSearchError as error:  # its latency cannot be measured
            return UNFIT, str(error)

    def counts(self) -> dict[str, int]:
        """Its measures that need no device, by name; none when it does not fit."""
        return {} if self.cost is None else self.subject.counts()

    def known(self, budget: Budget, *, latency: bool) -> dict[str, float]:
        """What it costs, as far as that is cheap to know; its latency where that was asked for, or is an objective."""
        if self.cost is None:
            return {}
        costs: dict[str, float] = {**self.cost.to_dict()}
        if latency:
            self.subject.latency(budget.target)
        return costs if self.latency is None else {**costs, "latency": self.latency}

    @property
    def latency(self) -> float | None:
        """Milliseconds for one image on the study's device, where that was asked for."""
        return next(iter(self.subject.latencies.values()), None)


def make_candidate(network: Network, holes: Params, shape: tuple[int, int, int], classes: int) -> Candidate:
    """``network`` on (C, H, W) images of ``classes`` classes, typed and costed."""
    sized = at_size(network, shape, classes)
    identity, subject = arch_id(sized), Subject(sized)
    try:
        return Candidate(sized, holes, identity, subject, subject.cost)
    except (ShapeError, LimitError) as error:
        return Candidate(sized, holes, identity, subject, None, str(error))
