"""From a trial to a candidate: the network at the data's size, its identity, its cost, whether it is affordable."""

from __future__ import annotations

from dataclasses import dataclass

from inception_search.errors import LimitError, ShapeError
from inception_search.graph.cost import Cost
from inception_search.lowering import lower
from inception_search.space.holes import Params
from inception_search.spec.identity import arch_id
from inception_search.spec.network import Network
from inception_search.spec.transform import set_classes, set_input

UNFIT = 1.0  # how far outside (relative) a network counts that cannot be built at all


@dataclass(frozen=True)
class Budget:
    """Hard limits on one image's multiply-adds and on parameters; None: no limit."""

    macs: int | None = None
    params: int | None = None

    def violation(self, cost: Cost) -> tuple[float, str] | None:
        """How far over (relative) and in which words; None within the budget."""
        for limit, value, words in (
            (self.macs, cost.macs, "multiply-adds"),
            (self.params, cost.params, "parameters"),
        ):
            if limit is not None and value > limit:
                return value / limit - 1.0, f"{value:,} {words} are over the budget of {limit:,}"
        return None


@dataclass(frozen=True)
class Candidate:
    """A network on the study's images; without a cost when it does not fit them, for the reason ``unfit``."""

    network: Network
    holes: Params
    arch_id: str
    cost: Cost | None
    unfit: str | None = None

    def violation(self, budget: Budget) -> tuple[float, str] | None:
        """How far outside what can be trained (relative) and in which words; None if it can be trained."""
        if self.cost is None:
            return UNFIT, self.unfit or "it cannot be built"
        return budget.violation(self.cost)


def make_candidate(network: Network, holes: Params, shape: tuple[int, int, int], classes: int) -> Candidate:
    """``network`` on (C, H, W) images of ``classes`` classes, typed and costed."""
    channels, height, width = shape
    sized = set_classes(set_input(network, channels=channels, height=height, width=width), classes)
    identity = arch_id(sized)
    try:
        return Candidate(sized, holes, identity, lower(sized).cost())
    except (ShapeError, LimitError) as error:
        return Candidate(sized, holes, identity, None, str(error))
