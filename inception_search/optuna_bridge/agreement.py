"""Whether the index says what the run folder says: a journal with a changed byte, or a lost line, may still be one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from optuna.trial import FrozenTrial, TrialState

from inception_search.space.holes import Params
from inception_search.store.objectives import directions
from inception_search.store.record import FINAL, TrialRecord

if TYPE_CHECKING:
    from inception_search.optuna_bridge.index import Asked, Index


def agrees(index: Index, records: Mapping[int, TrialRecord], begun: Mapping[int, Asked]) -> bool:
    """Whether no trial of the index is told otherwise by its record, or by what is known of it since it was asked."""
    if [direction.name.lower() for direction in index.study.directions] != directions(index.objectives):
        return False
    for trial in index.study.get_trials(deepcopy=False):
        record, asked = records.get(trial.number), begun.get(trial.number)
        if record is not None and not (_same_point(index, trial, record.holes) and _same_end(index, trial, record)):
            return False
        if asked is not None and not _same_point(index, trial, asked.params):
            return False
    return True


def unrecorded(trials: Iterable[FrozenTrial], records: Mapping[int, TrialRecord]) -> list[FrozenTrial]:
    """The trials that the index has complete, and of which no record is left."""
    return [trial for trial in trials if trial.state == TrialState.COMPLETE and trial.number not in records]


def _same_point(index: Index, trial: FrozenTrial, params: Params) -> bool:
    return trial.params == {name: value for name, value in params.items() if name in index.space.holes}


def _same_end(index: Index, trial: FrozenTrial, record: TrialRecord) -> bool:
    if record.state not in FINAL or not trial.state.is_finished():
        return True
    state, values = index.told(record)
    return trial.state == state and values in (None, trial.values)
