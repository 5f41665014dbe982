"""Points within the budget for a search whose sampler finds none."""

from __future__ import annotations

import optuna

from inception_search.errors import InceptionSearchError
from inception_search.measures.budget import Budget
from inception_search.measures.sample import sample_within
from inception_search.space.space import Space
from inception_search.study.index import enqueue
from inception_search.study.setting import Setting

RESCUE_AFTER = 25  # points in a row that were known or not feasible
_TRIES = 20


def rescue(study: optuna.Study, space: Space, setting: Setting, budget: Budget, number: int) -> None:
    """Queue a point within ``budget``, drawn or repaired, if there is one; ``number`` (of a trial) is its seed."""
    seed = setting.config.seed + number
    try:
        found = sample_within(space, budget, seed, tries=_TRIES, shape=setting.shape, classes=setting.classes)
    except InceptionSearchError:
        return
    enqueue(study, found.params)
