"""The Optuna study of a run folder: an index of it, in a journal that survives torn lines and kills."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import optuna
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial, TrialState

from inception_search.errors import RunFolderError
from inception_search.store.journal import JournalBackend
from inception_search.store.run_folder import RunFolder

NAME = "inception-search"


def open_index(run: RunFolder, sampler: BaseSampler, pruner: BasePruner) -> optuna.Study:
    """The study in ``run``'s journal, made when it is not there yet. Maximises validation accuracy."""
    logging.getLogger("optuna").setLevel(logging.WARNING)
    storage = JournalStorage(JournalBackend(str(run.journal_file)))  # type: ignore[arg-type]  # duck-typed
    try:
        return optuna.create_study(
            storage=storage,
            sampler=sampler,
            pruner=pruner,
            study_name=NAME,
            direction="maximize",
            load_if_exists=True,
        )
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        raise RunFolderError(
            "the search index cannot be read",
            path=str(run.journal_file),
            found=f"{type(error).__name__}: {error}",
            mend="the records in trials.jsonl are intact; move journal.log away and resume to rebuild it",
        ) from None


def tell(study: optuna.Study, number: int, value: float | None, state: TrialState) -> None:
    """Tell a result once; a trial that has been told before keeps its first value."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.tell(number, value, state=state, skip_if_finished=True)


def running(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that were asked and never told."""
    return study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))


def by_number(study: optuna.Study, number: int) -> FrozenTrial:
    """The trial of that number."""
    return study.get_trials(deepcopy=False)[number]


def enqueue(study: optuna.Study, params: dict[str, Any], **attributes: Any) -> None:
    """Put a point at the end of the queue, with what must be remembered about it."""
    study.enqueue_trial(params, user_attrs=attributes)
