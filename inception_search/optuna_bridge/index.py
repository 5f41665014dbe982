"""The Optuna study of a run folder: an index of it, for Optuna's own tools. The run folder is the truth.

It lies in a journal in the folder that survives torn lines and kills, or in a storage of the user's; one that does not
answer is told later, and the search goes on meanwhile.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from inception_search.errors import InceptionSearchError, RunFolderError
from inception_search.optuna_bridge.agreement import agrees, unrecorded
from inception_search.optuna_bridge.distributions import distributions
from inception_search.optuna_bridge.frozen_trials import frozen_trial, state_and_values
from inception_search.optuna_bridge.journal import JournalBackend
from inception_search.optuna_bridge.optuna_logging import quiet
from inception_search.optuna_bridge.storage import NAME, does_not_open, open_storage
from inception_search.optuna_bridge.storage import first_line as _first_line
from inception_search.optuna_bridge.storage_url import StorageUrl
from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.store.atomic import write_atomic
from inception_search.store.disk import typed_errors
from inception_search.store.objectives import directions
from inception_search.store.record import FINAL, TrialRecord
from inception_search.store.run_folder import RunFolder

PATIENCE = 30.0  # seconds, at most, between tries of a storage that does not answer


@dataclass(frozen=True)
class Asked:
    """A trial as the index knows it when it begins."""

    number: int
    params: Params
    attributes: dict[str, Any]


class Index:
    """The index of ``run``; made, or brought up to date, with :meth:`sync`.

    ``note`` is told, once, when the storage stops answering and when it answers again.
    """

    def __init__(
        self,
        run: RunFolder,
        space: Space,
        objectives: tuple[str, ...] = ("accuracy",),
        url: str | None = None,
        name: str = NAME,
        note: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.run, self.space, self.objectives, self.url, self.note = run, space, objectives, url, note
        self.name = name
        self.waiting: deque[Callable[[], None]] = deque()
        self.away, self.delay, self.next_try = False, 1.0, 0.0
        self.lost: list[FrozenTrial] = []
        """Trials that it has complete and of which no record is left, as of the last :meth:`sync`."""
        self.study = self._open()

    def __len__(self) -> int:
        """How many numbers it has given out."""
        return len(self.study.get_trials(deepcopy=False))

    def sync(self, records: Iterable[TrialRecord], asked: Iterable[Asked]) -> None:
        """Bring the index up to the records and the trials under way, so that no number is given out twice."""
        with self._answering():
            self._sync(records, asked)

    def _sync(self, records: Iterable[TrialRecord], asked: Iterable[Asked]) -> None:
        by_number = {record.number: record for record in records}
        begun = {trial.number: trial for trial in asked}
        if self.url is None and not agrees(self, by_number, begun):
            self._set_aside()
        known = self.study.get_trials(deepcopy=False)
        self.lost = unrecorded(known, by_number)
        for number in range(len(known), max((*by_number, *begun), default=-1) + 1):
            self._add(by_number.get(number), begun.get(number))
        for trial in known:
            record = by_number.get(trial.number)
            if trial.state == TrialState.RUNNING and record is not None and record.state in FINAL:
                self._tell(record)
            elif not trial.state.is_finished() and record is None and trial.number not in begun:
                self.study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)

    def _set_aside(self) -> None:
        """Begin a new journal; the old one may have notes that somebody wrote in Optuna's dashboard."""
        file = self.run.journal_file
        aside = file.with_name(f"{file.name}.corrupt")
        with typed_errors(file):
            write_atomic(aside, file.read_bytes())
        write_atomic(file, "")
        self.study = self._open()
        self.note(f"the index {file} did not say what the records say: it was made anew, the old one is {aside.name}")

    def under_way(self) -> dict[int, FrozenTrial]:
        """The trials it holds for running, by number."""
        with self._answering():
            running = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        return {trial.number: trial for trial in running}

    def begin(self, trial: Asked) -> None:
        """A trial begins: one line of the journal, with all that is known of it."""
        self._do(lambda: self._begin(trial))

    def report(self, number: int, value: float, epoch: int) -> None:
        """The first objective after an epoch."""
        self._do(lambda: self._set_value(number, value, epoch))

    def finish(self, record: TrialRecord) -> None:
        """A trial has ended; what has been told stays as it was."""
        self._do(lambda: self._tell(record))

    def flush(self, seconds: float = 0.0) -> int:
        """Tell what waits, trying for ``seconds``; how much is still waiting then."""
        end = time.monotonic() + seconds
        while self.waiting:
            self.next_try = 0.0
            self._drain()
            if not self.waiting or time.monotonic() >= end:
                break
            time.sleep(min(1.0, seconds))
        return len(self.waiting)

    def _do(self, work: Callable[[], None]) -> None:
        self.waiting.append(work)
        self._drain()

    def _drain(self) -> None:
        """Do what waits, in order; a disk that refuses is an error, a server that does not answer is asked later."""
        while self.waiting and time.monotonic() >= self.next_try:
            try:
                with quiet():
                    self.waiting[0]()
            except InceptionSearchError:
                raise
            except Exception as error:
                if self.url is None:
                    raise self._unreadable(error) from None
                if not self.away:
                    self.note(f"the index at {StorageUrl(self.url)} does not answer; it is told later")
                self.away, self.next_try = True, time.monotonic() + self.delay
                self.delay = min(PATIENCE, 2 * self.delay)
                return
            self.waiting.popleft()
            if self.away and not self.waiting:
                self.note("the index answers again and is up to date")
                self.away, self.delay, self.next_try = False, 1.0, 0.0

    def _begin(self, trial: Asked) -> None:
        self._fill(trial.number)
        if trial.number == len(self):  # what was broken off after it was done is not done again
            self._add(None, trial)

    def _fill(self, number: int) -> None:
        """Give out the numbers below ``number``, so that it is the next: Optuna numbers trials itself."""
        for _ in range(len(self), number):
            self._add(None, None)

    def _add(self, record: TrialRecord | None, asked: Asked | None) -> None:
        if record is not None:
            self.study.add_trial(self._frozen(record))
        elif asked is not None:
            params, known = distributions(self.space, asked.params)
            self.study.add_trial(
                create_trial(state=TrialState.RUNNING, params=params, distributions=known, user_attrs=asked.attributes)
            )
        else:
            self.study.add_trial(create_trial(state=TrialState.FAIL))

    def _set_value(self, number: int, value: float, epoch: int) -> None:
        # Optuna's own report refuses studies of several objectives.
        storage, study = self.study._storage, self.study._study_id
        trial = storage.get_trial_id_from_study_id_trial_number(study, number)
        if not storage.get_trial(trial).state.is_finished():
            storage.set_trial_intermediate_value(trial, epoch, value)

    def _tell(self, record: TrialRecord) -> None:
        self._fill(record.number)
        if record.number == len(self):  # it never began: it was asked for by name and cannot be trained
            self.study.add_trial(self._frozen(record))
            return
        state, values = self.told(record)
        self.study.tell(record.number, values, state=state, skip_if_finished=True)

    def told(self, record: TrialRecord) -> tuple[TrialState, list[float] | None]:
        """State and values of a record as Optuna has them."""
        return state_and_values(record, self.objectives)

    def _frozen(self, record: TrialRecord) -> FrozenTrial:
        said = attributes(record.label, record.arch_id, record.facts)
        return frozen_trial(record, self.space, self.objectives, said)

    def _open(self) -> optuna.Study:
        with self._answering():
            storage: Any = (
                open_storage(self.url) if self.url else JournalStorage(JournalBackend(self.run.journal_file))  # type: ignore[arg-type]
            )
            name = self.name
            never_asked = optuna.samplers.RandomSampler(seed=0)
            with suppress(KeyError):  # not create_study for both: that writes a line each time it finds the study
                return optuna.load_study(study_name=name, storage=storage, sampler=never_asked)
            study = optuna.create_study(
                storage=storage, sampler=never_asked, study_name=name, directions=directions(self.objectives)
            )
            study.set_metric_names(list(self.objectives))
            return study

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Turn whatever Optuna raises into an error that says where the index is."""
        try:
            with quiet():
                yield
        except InceptionSearchError:
            raise
        except Exception as error:  # a line that is JSON but no journal entry: Optuna has no error of its own for it
            raise self._unreadable(error) from None

    def _unreadable(self, error: Exception) -> InceptionSearchError:
        if self.url is not None:
            return does_not_open(self.url, error)
        return RunFolderError(
            "the search index cannot be read",
            path=str(self.run.journal_file),
            found=_first_line(error),
            mend="every record is safe in trials.jsonl; empty journal.log and resume, and it is made anew from them",
        )


def attributes(label: str | None, arch_id: str | None, facts: dict[str, Any]) -> dict[str, Any]:
    """What Optuna's tools show of a trial besides its parameters."""
    known = {"label": label, "arch_id": arch_id, **facts}
    return {name: value for name, value in known.items() if value is not None}
