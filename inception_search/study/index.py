"""The Optuna study of a run folder: an index of it, in a journal that survives torn lines and kills."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import JournalStorage
from optuna.trial import Trial, TrialState

from inception_search.errors import InceptionSearchError, RunFolderError, raw
from inception_search.store.journal import JournalBackend
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.study.dedupe import Seen

NAME = "inception-search"


def open_index(run: RunFolder, sampler: BaseSampler, pruner: BasePruner) -> optuna.Study:
    """The study in ``run``'s journal, made when it is not there yet. Maximises validation accuracy."""
    try:
        with _quiet():
            return optuna.create_study(
                storage=JournalStorage(JournalBackend(run.journal_file)),  # type: ignore[arg-type]  # duck-typed
                sampler=sampler,
                pruner=pruner,
                study_name=NAME,
                direction="maximize",
                load_if_exists=True,
            )
    except InceptionSearchError:
        raise
    except Exception as error:  # a line that is JSON but no journal entry: Optuna has no error of its own for it
        raise RunFolderError(
            "the search index cannot be read",
            path=str(run.journal_file),
            found=raw(f"{type(error).__name__}: {error}"),
            mend="every record is safe in trials.jsonl; empty journal.log and resume, and it is made anew from them",
        ) from None


def unfinished(study: optuna.Study) -> list[Trial]:
    """Trials that were asked and never told, by number, as if asked just now: known values stay as they were."""
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return [Trial(study, frozen._trial_id) for frozen in running]


def enqueue(study: optuna.Study, params: dict[str, Any], **attributes: Any) -> None:
    """Put a point at the end of the queue, with what must be remembered about it."""
    study.enqueue_trial(params, user_attrs=attributes)


def report(trial: Trial, value: float, epoch: int) -> None:
    """Report an epoch to the pruner; one reported by an earlier attempt keeps its value."""
    with _quiet():
        trial.report(value, epoch)


def constrain(trial: Trial, violation: float) -> None:
    """Say how far outside the feasible region a trial is (relative, > 0); said again, the first counts."""
    with _quiet():
        trial.set_constraint("feasible", violation)


def tell_record(study: optuna.Study, record: TrialRecord, seen: Seen) -> None:
    """Tell what a record says; what has been told stays as it was."""
    state, value = told(record, seen)
    study.tell(record.number, value, state=state, skip_if_finished=True)


def told(record: TrialRecord, seen: Seen) -> tuple[TrialState, float | None]:
    """What the index is told of a record; a duplicate says what is known of the first one."""
    if record.state == "duplicate":
        first = seen.outcome(record.arch_id)
        return (TrialState.FAIL, None) if first is None else told(first, seen)
    if record.state == "complete":
        return TrialState.COMPLETE, record.value
    # Samplers read pruned trials (worse than the complete ones, constraints included) and pass over failed ones.
    return (TrialState.PRUNED if record.state in ("pruned", "infeasible") else TrialState.FAIL), None


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Optuna's news (a study was made or found) and its warnings of what is meant here."""
    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(max(level, logging.WARNING))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
