"""The Optuna study of a run folder, readable by Optuna's own tools while the search runs.

It is derived from the records; a study that differs from them is recreated. It is stored in a journal in the folder, or
in a storage that the user names. While that storage does not respond, the search continues and updates it later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial, TrialState

from inception_search.errors import InceptionSearchError, RunFolderError
from inception_search.optuna_bridge.frozen_trials import frozen_trial, running_trial, state_and_values, user_attributes
from inception_search.optuna_bridge.optuna_logging import quiet
from inception_search.optuna_bridge.storage import NAME, JournalBackend, does_not_open, first_line, open_storage
from inception_search.optuna_bridge.storage_url import StorageUrl
from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.store.atomic import write_atomic
from inception_search.store.disk import typed_errors
from inception_search.store.objectives import directions
from inception_search.store.record import FINAL, TrialRecord
from inception_search.store.run_folder import RunFolder

PATIENCE = 30.0  # longest wait in seconds between attempts to reach a storage that does not respond
JOURNAL_DELAY = 1.0  # longest time in seconds between writes of the journal to disk
Running = Mapping[int, tuple[Params, Mapping[str, Any]]]
"""Parameters and attributes of the running trials, by number."""


class LiveStudy:
    """The study of ``run``; :meth:`sync` creates it or brings it up to date.

    ``records`` and ``running`` provide the data it is derived from. ``note`` is called with a sentence when the storage
    stops responding, when it responds again, and when the study is recreated.
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
        self.run, self.space, self.objectives, self.url, self.name, self.note = run, space, objectives, url, name, note
        self.records: Mapping[int, TrialRecord] = {}
        self.running: Callable[[], Running] = dict
        self.behind, self.delay, self.next_try = False, 1.0, 0.0
        self.journal: JournalBackend | None = None
        self.gaps: set[int] = set()  # trials whose earlier epochs may be missing
        self.doubled = False  # whether the storage has added a trial twice
        self.lost: list[FrozenTrial] = []
        """Complete trials of the study without a record, as of the last :meth:`sync`."""
        with self._typed_errors():
            self.study = self._open()

    def __len__(self) -> int:
        """The number of trials in any state."""
        return len(self._trials())

    def under_way(self) -> dict[int, FrozenTrial]:
        """The trials that the study considers running, by number."""
        with self._typed_errors():
            return {trial.number: trial for trial in self._trials() if trial.state == TrialState.RUNNING}

    def sync(self) -> None:
        """Update the study so that it agrees with the records and the running trials."""
        with self._typed_errors():
            self._sync()

    def begin(self, number: int, params: Params, attributes: Mapping[str, Any]) -> None:
        """Add a trial that begins."""
        self._do(lambda: self._add(number, running_trial(self.space, params, attributes)))

    def report(self, number: int, value: float, epoch: int) -> None:
        """Store the first objective after an epoch."""
        self._do(lambda: self._report(number, value, epoch))

    def finish(self, record: TrialRecord) -> None:
        """Finish the trial of a record; a trial that has already finished stays unchanged."""
        self._do(lambda: self._finish(record))

    def flush(self, seconds: float = 0.0) -> bool:
        """Update a study that is behind, retrying for ``seconds``; return whether it is up to date.

        The journal is written to disk.
        """
        if self.journal is not None:
            self.journal.sync()
        end = time.monotonic() + seconds
        while self.behind:
            self.next_try = 0.0
            self._do(lambda: None)
            if not self.behind or time.monotonic() >= end:
                break
            time.sleep(min(1.0, seconds))
        return not self.behind

    def _do(self, work: Callable[[], None]) -> None:
        """Do ``work``; an unresponsive server is skipped for a while, a local failure raises an error."""
        if self.behind and time.monotonic() < self.next_try:
            return
        try:
            with quiet():
                (self._update if self.behind else work)()
                if self.doubled:
                    self._sync()
        except InceptionSearchError:
            raise
        except Exception as error:  # every storage has errors of its own
            if self.url is None:
                raise self._unreadable(error) from None
            if not self.behind:
                self.note(
                    f"the Optuna storage at {StorageUrl(self.url)} does not answer; the search continues without it"
                )
            self.behind, self.next_try = True, time.monotonic() + self.delay
            self.delay = min(PATIENCE, 2 * self.delay)
            return
        if self.behind:
            self.note("the Optuna storage answers again and is up to date")
        self.behind, self.delay = False, 1.0

    def _update(self) -> None:
        """Reopen the study, which may have been deleted meanwhile, and make it agree with the records."""
        self.study = self._open()
        self._sync()

    def _sync(self) -> None:
        running = self.running()
        trials = self._trials()
        self.gaps.update(running, (trial.number for trial in trials if trial.state == TrialState.RUNNING))
        self.lost = [t for t in trials if t.state == TrialState.COMPLETE and t.number not in self.records]
        if self.doubled or not self._agrees(trials, running):
            self._renew()
            trials = []
        for number in range(len(trials), max((*self.records, *running), default=-1) + 1):
            if number in self.records:
                self._add(number, self._frozen(self.records[number]))
            elif number in running:
                self._add(number, running_trial(self.space, *running[number]))
        for trial in trials:
            record = self.records.get(trial.number)
            if trial.state == TrialState.RUNNING and record is not None and record.state in FINAL:
                self._finish(record)
            elif not trial.state.is_finished() and record is None and trial.number not in running:
                self.study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)

    def _agrees(self, trials: Iterable[FrozenTrial], running: Running) -> bool:
        """Whether every trial of the study agrees with its record, or with the running trial of its number."""
        if [direction.name.lower() for direction in self.study.directions] != directions(self.objectives):
            return False
        for trial in trials:
            record = self.records.get(trial.number)
            if record is None and trial.number not in running:
                if trial.state == TrialState.COMPLETE:
                    return False
                continue
            params = running[trial.number][0] if record is None else record.holes
            if trial.params != {name: value for name, value in params.items() if name in self.space.holes}:
                return False
            if record is not None and record.state in FINAL and trial.state.is_finished():
                state, values = state_and_values(record, self.objectives)
                if trial.state != state or values not in (None, trial.values):
                    return False
        return True

    def _renew(self) -> None:
        """Create a new study; an old journal is kept, because somebody may have written notes into it."""
        if self.url is not None:
            optuna.delete_study(study_name=self.name, storage=self.study._storage)
            sentence = f"the Optuna study {self.name!r} differed from the records and was recreated"
        else:
            file = self.run.journal_file
            aside = file.with_name(f"{file.name}.corrupt")
            with typed_errors(file):
                write_atomic(aside, file.read_bytes())
            write_atomic(file, "")
            sentence = f"{file} differed from the records and was recreated; the old file is {aside.name}"
        if not self.lost:  # otherwise records are missing, and the code that restores them reports it
            self.note(sentence)
        self.study = self._open()
        self.doubled = False

    def _trials(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False)

    def _add(self, number: int, trial: FrozenTrial) -> None:
        """Add a trial as ``number``; missing lower numbers become failed trials."""
        if self._id(number) is not None:  # an interrupted earlier attempt may have added it already
            return
        if number > 0 and self._id(number - 1) is None:
            for _ in range(len(self), number):
                self.study.add_trial(optuna.trial.create_trial(state=TrialState.FAIL))
        added = self.study._storage.create_new_trial(self.study._study_id, trial)
        # Optuna repeats an addition whose answer was lost, even if the server has stored it.
        self.doubled |= self.url is not None and added != self._id(number)

    def _id(self, number: int) -> int | None:
        """The storage's identifier of a trial, None if it has no such trial; all trials are not listed for it."""
        try:
            return self.study._storage.get_trial_id_from_study_id_trial_number(self.study._study_id, number)
        except KeyError:
            return None

    def _report(self, number: int, value: float, epoch: int) -> None:
        # Optuna's own report() rejects studies with several objectives.
        storage, study = self.study._storage, self.study._study_id
        trial = storage.get_trial_id_from_study_id_trial_number(study, number)
        if not storage.get_trial(trial).state.is_finished():
            storage.set_trial_intermediate_value(trial, epoch, value)

    def _finish(self, record: TrialRecord) -> None:
        if self._id(record.number) is None:  # it never began, for instance an infeasible baseline
            self._add(record.number, self._frozen(record))
            return
        if record.number in self.gaps:
            self._catch_up(record)
            self.gaps.discard(record.number)
        state, values = state_and_values(record, self.objectives)
        self.study.tell(record.number, values, state=state, skip_if_finished=True)

    def _catch_up(self, record: TrialRecord) -> None:
        """Report the epochs of a record that the study missed."""
        known = self._trials()[record.number].intermediate_values
        for epoch, value in self._frozen(record).intermediate_values.items():
            if epoch not in known:
                self._report(record.number, value, epoch)

    def _frozen(self, record: TrialRecord) -> FrozenTrial:
        attributes = user_attributes(
            record.facts,
            origin=record.origin,
            seed=record.seed,
            label=record.label,
            arch_id=record.arch_id,
            repeat_of=record.repeat_of,
        )
        return frozen_trial(record, self.space, self.objectives, attributes)

    def _open(self) -> optuna.Study:
        if self.url:
            storage: Any = open_storage(self.url)
        else:
            # Everything in the journal follows from the records and the jobs, which are durable before it is written.
            self.journal = JournalBackend(self.run.journal_file, delay=JOURNAL_DELAY)
            storage = JournalStorage(self.journal)  # type: ignore[arg-type]
        unused = optuna.samplers.RandomSampler(seed=0)
        with suppress(KeyError):  # create_study(load_if_exists=True) would write a journal line at every call
            return optuna.load_study(study_name=self.name, storage=storage, sampler=unused)
        study = optuna.create_study(
            storage=storage, sampler=unused, study_name=self.name, directions=directions(self.objectives)
        )
        study.set_metric_names(list(self.objectives))
        return study

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        """Turn any error of Optuna into one that names the location of the study."""
        try:
            with quiet():
                yield
        except InceptionSearchError:
            raise
        except Exception as error:  # Optuna has no error class for a journal line that is JSON but not an entry
            raise self._unreadable(error) from None

    def _unreadable(self, error: Exception) -> InceptionSearchError:
        if self.url is not None:
            return does_not_open(self.url, error)
        return RunFolderError(
            "the Optuna study cannot be read",
            path=str(self.run.journal_file),
            found=first_line(error),
            hint="every record is safe in trials.jsonl; empty journal.log and resume: the study is recreated from them",
        )
