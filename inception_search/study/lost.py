"""Trials whose records are gone: the index still knows which points they were."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from inception_search.errors import InceptionSearchError
from inception_search.study.queue import Wanted
from inception_search.study.setting import Setting

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


def lost_points(trials: Iterable[FrozenTrial], setting: Setting, known: Collection[str]) -> dict[int, Wanted]:
    """By number what each of ``trials`` trained, where its architecture is not in ``known``; repeats left out."""
    found = {}
    for trial in trials:
        with suppress(InceptionSearchError):  # a space that has grown may know it no more
            point = setting.point_of_trial(trial)
            if point.repeat_of is None and point.candidate.arch_id not in known:
                found[trial.number] = Wanted(point.candidate.holes, point.origin, point.label, point.facts)
    return found
