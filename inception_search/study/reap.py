"""Putting a study right before it goes on: what a kill left between asked, run, recorded and told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from inception_search.errors import InceptionSearchError
from inception_search.runner.job import Job, read_jobs
from inception_search.store.disk import typed_errors
from inception_search.store.record import FINAL, TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.study.ledger import clear
from inception_search.study.point import Point
from inception_search.study.setting import Setting

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


def reap(
    run: RunFolder, records: Iterable[TrialRecord], setting: Setting, under_way: Mapping[int, FrozenTrial]
) -> list[tuple[Point, Job | None]]:
    """The trials that were asked and not recorded, by number, with their jobs; what is left of others is removed.

    ``under_way``: what the index holds for running; it stands in for jobs that cannot be read any more.

    Of those, a driver records the ones whose result waits in the outbox, and trains the others on.
    """
    by_number = {record.number: record for record in records}
    final = {number for number, record in by_number.items() if record.state in FINAL}
    kept = by_number.keys() - final  # paused: how far they came is needed
    jobs = {number: job for number, job in read_jobs(run).items() if number not in final and job.params}
    for number in kept & jobs.keys():
        if jobs[number].attempt <= by_number[number].attempt:  # this is the attempt that ended in the pause
            del jobs[number]
    left: list[tuple[Point, Job | None]] = [(setting.point_of_job(job), job) for job in jobs.values()]
    for number, trial in under_way.items():
        if number not in final | kept | jobs.keys() and trial.params:
            with suppress(InceptionSearchError):  # a space that has grown may know it no more
                left.append((setting.point_of_trial(trial), None))
    left.sort(key=lambda each: each[0].number)
    wanted = {point.number for point, _ in left}
    for number in _numbered(run) - wanted:
        clear(run, number, state=number not in kept)
    for path in run.checkpoints_folder.glob("*.state"):
        if not path.stem.isdecimal() or int(path.stem) not in wanted | kept:
            with typed_errors(path):
                path.unlink(missing_ok=True)
    return left


def _numbered(run: RunFolder) -> set[int]:
    """The trials that have a job or a result file."""
    jobs = {int(path.stem) for path in run.jobs_folder.glob("*.json") if path.stem.isdecimal()}
    return jobs | set(run.read_results())
