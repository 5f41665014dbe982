"""How far outside a study's upper limits a point is, asked often: only what it costs is counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from inception_search.errors import InceptionSearchError
from inception_search.measures.budget import Budget
from inception_search.measures.subject import Subject, at_size
from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.study.candidate import UNFIT


def make_excess(
    space: Space, budget: Budget, shape: tuple[int, int, int], classes: int
) -> Callable[[Params], float] | None:
    """The relative excess (negative: what is left) of a point over the maxima that widths change, on (C, H, W) images.

    Latency is left out, which is measured. None where nothing else is limited.
    """
    maxima = replace(budget.only(is_max=True, by_width=True), max_latency_ms=None)
    if not any(maxima.limits()):
        return None

    def excess(params: Params) -> float:
        try:
            return maxima.excess(Subject(at_size(space.decode(params), shape, classes)))
        except InceptionSearchError:
            return UNFIT

    return excess
