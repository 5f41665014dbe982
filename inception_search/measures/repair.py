"""A network without a space, brought within a budget."""

from __future__ import annotations

from inception_search.errors import InceptionSearchError
from inception_search.measures.budget import Budget
from inception_search.measures.fit import fit, not_within
from inception_search.measures.subject import Subject
from inception_search.spec.network import Network
from inception_search.spec.transform import MAX_FACTOR, scale_network_width, set_depth


def repair(network: Network, budget: Budget) -> Network:
    """``network`` itself where it is within ``budget``, else with its widths scaled by the one nearest factor.

    Where the narrowest (widest) is still outside, and for limits on depth and receptive field, the repeats are
    scaled. Raises ConfigError with the nearest that was reached when that does not do.
    """
    tried: list[Subject] = []

    def scaled(width: float, depth: float) -> Subject | None:
        try:
            wide = network if width == 0.0 else scale_network_width(network, MAX_FACTOR**width)
            subject = Subject(wide if depth == 0.0 else set_depth(wide, MAX_FACTOR**depth))
            _ = subject.cost  # a network of shapes that do not fit is none
        except InceptionSearchError:
            return None
        tried.append(subject)
        return subject

    if budget.violation(Subject(network)) is None:
        return network
    found = fit(scaled, budget)
    if found is None:
        raise not_within(f"no scaling of {network.name!r}", tried, budget, "or start from another network")
    return found.network
