"""Whether a search can work at all, asked before anything is written."""

from __future__ import annotations

from inception_search.measures.budget import Budget
from inception_search.measures.sample import sample_within
from inception_search.space.contents import contained_point
from inception_search.space.space import Space
from inception_search.study.candidate import make_candidate

_SAMPLES = 64  # points looked at before the nearest is repaired


def check_feasible(space: Space, budget: Budget, shape: tuple[int, int, int], classes: int, *, baselines: bool) -> None:
    """Raise the first error if no point of ``space`` fits the images, or none that was looked at the budget.

    The canonical modules the space says it contains must be in it: NotInSpaceError else. With ``baselines`` one of
    them within the budget is enough. Where all points drawn are outside the budget, one brought within it is enough.
    """
    fixed = {label: contained_point(space, label) for label in space.fixed_points}
    for label, holes in fixed.items() if baselines else ():
        if make_candidate(space.fixed_points[label], holes, shape, classes).violation(budget) is None:
            return
    sample_within(space, budget, tries=_SAMPLES, shape=shape, classes=classes)
