"""Recovery after a kill: trials that were begun but not recorded, and lost records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from inception_search.errors import InceptionSearchError
from inception_search.runner.job import read_jobs
from inception_search.store.disk import remove
from inception_search.store.record import FINAL, TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.strategies.protocol import Proposal
from inception_search.study.context import StudyContext
from inception_search.study.ledger import clear
from inception_search.study.trial import Trial

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


def unfinished_trials(
    run: RunFolder, records: Iterable[TrialRecord], context: StudyContext, under_way: Mapping[int, FrozenTrial]
) -> list[Trial]:
    """The trials that were begun but not recorded, by number; leftovers of other trials are removed.

    The driver records those with a result, and continues the others. ``under_way``: the running trials of the Optuna
    study, which replace unreadable jobs.
    """
    by_number = {record.number: record for record in records}
    final = {number for number, record in by_number.items() if record.state in FINAL}
    kept = by_number.keys() - final  # paused trials, whose state is needed
    jobs = {number: job for number, job in read_jobs(run).items() if number not in final and job.params}
    for number in kept & jobs.keys():
        if jobs[number].attempt <= by_number[number].attempt:  # the attempt that ended in the pause
            del jobs[number]
    left = {number: context.trial_of(job) for number, job in jobs.items()}
    for number, trial in under_way.items():
        if number not in final | kept | left.keys() and trial.params:
            with suppress(InceptionSearchError):  # an extended space may not contain the point
                left[number] = _trial_of(trial, context)
    for number in _numbered(run) - left.keys():
        clear(run, number, state=number not in kept)
    for path in run.checkpoints_folder.glob("*.state"):
        if not path.stem.isdecimal() or int(path.stem) not in left.keys() | kept:
            remove(path)
    return [left[number] for number in sorted(left)]


def lost_proposals(trials: Iterable[FrozenTrial], context: StudyContext, known: Collection[str]) -> dict[int, Proposal]:
    """The proposals of those ``trials`` of the Optuna study whose architecture is not in ``known``, by number.

    Their records are lost. Repeats are excluded.
    """
    found = {}
    for each in trials:
        with suppress(InceptionSearchError):  # an extended space may not contain the point
            trial = _trial_of(each, context)
            if trial.repeat_of is None and trial.arch_id not in known:
                found[each.number] = trial.proposal
    return found


def _trial_of(trial: FrozenTrial, context: StudyContext) -> Trial:
    """The trial for Optuna's copy ``trial``."""
    facts = dict(trial.user_attrs)
    known = {name: facts.pop(name) for name in ("origin", "label", "seed", "repeat_of") if name in facts}
    facts.pop("arch_id", None)
    made = context.trial_at(trial.number, context.space.decode(trial.params), dict(trial.params))
    return made.again(**known, facts=facts)


def _numbered(run: RunFolder) -> set[int]:
    """The numbers of trials with a job or result file."""
    jobs = {int(path.stem) for path in run.jobs_folder.glob("*.json") if path.stem.isdecimal()}
    return jobs | set(run.read_results())
