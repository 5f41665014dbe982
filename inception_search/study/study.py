"""The results of a study: its records, its best network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from inception_search.analysis.front import front, hypervolume
from inception_search.arguments import checked
from inception_search.errors import RunFolderError
from inception_search.space.space import Space
from inception_search.spec.documents.parse import network_from_data
from inception_search.spec.network import Network
from inception_search.store import query
from inception_search.store.record import COLUMNS, Records, TrialRecord, html_table, row_of, words_of
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig, facts_of, optuna_name
from inception_search.study.reference_point import reference_of

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class BestTrial:
    """The best trial: its record and its network."""

    record: TrialRecord

    def __repr__(self) -> str:
        return f"BestTrial({words_of(self.record)})"

    def _repr_html_(self) -> str:
        return html_table(COLUMNS, [row_of(self.record)])

    @cached_property
    def network(self) -> Network:
        """The network as it was trained (its document)."""
        return network_from_data(self.record.network)

    @property
    def value(self) -> float:
        """Validation accuracy from 0 to 1; balanced accuracy or macro F1 if that is the objective."""
        return self.record.score or 0.0

    @property
    def number(self) -> int:
        """The number of the trial."""
        return self.record.number


class Study:
    """A search and its results, as stored in a run folder; :func:`search` and :func:`open_run` return it.

    - :attr:`best`: the best trial; :attr:`front`: the Pareto front; :attr:`hypervolume`: of this front.
    - :attr:`records`: one record for each trial; :attr:`notes`: the notes on data and options.
    - :attr:`space`, :attr:`config`: the space and the options of the search; :attr:`path`: the run folder.
    - :attr:`optuna`: an ``optuna.Study`` with every trial.

    Args:
        run: the run folder.
        finished: whether the search reached its end (an attribute of the same name).

    >>> study = ins.open_run("runs/example")
    >>> study.best.number, study.finished
    (30, True)
    >>> round(study.best.value, 4)  # validation accuracy, from 0 to 1
    0.9777
    """

    @checked
    def __init__(self, run: RunFolder, finished: bool = True) -> None:
        self.run = run
        self.finished = finished

    def __repr__(self) -> str:
        return f"Study({str(self.path)!r}, {self._summary(self.records)})"

    def _repr_html_(self) -> str:
        """The summary, and the best ten trials that were trained to their last epoch."""
        records = self.records
        leaders = query.leaderboard(records, 10)
        return html_table(COLUMNS, map(row_of, leaders), f"{self.path}: {self._summary(records)}")

    def _summary(self, records: list[TrialRecord]) -> str:
        counts = [f"{number} {state}" for state, number in query.counts(records).items() if number]
        best = query.best(records)
        parts = [", ".join(counts) or "no trials", *([f"best {words_of(best)}"] if best else [])]
        return "; ".join([*parts, "finished" if self.finished else "not finished"])

    @classmethod
    @checked
    def open(cls, path: str | Path) -> Study:
        """Open the study in the run folder ``path`` for reading; :func:`open_run` also sets ``finished``."""
        return cls(RunFolder.open(path))

    @property
    def path(self) -> Path:
        """The path of the run folder."""
        return self.run.path

    @property
    def records(self) -> Records:
        """One record for each trial, by number: a list that a notebook displays as a table."""
        return Records(self.run.records())

    @cached_property
    def space(self) -> Space:
        """The space of the search."""
        return Space(self.run.space_text(), str(self.run.space_file))

    @property
    def optuna(self) -> optuna.Study:
        """An ``optuna.Study`` with the trials recorded so far: a new copy in memory at each access.

        A trial has its point as parameters, the objectives as values, and the validation result of each epoch as
        intermediate values. Its user attributes are its costs, origin, label, ``arch_id``, seed, seconds, reason and
        the notes of the strategy. Optuna shows paused trials as running, networks outside the limits as pruned and
        proposals of a known network as failed; ``user_attrs["state"]`` has the state in this package.

        >>> import inception_search as ins
        >>> copy = ins.open_run("runs/example").optuna  # doctest: +SKIP
        >>> optuna.importance.get_param_importances(copy)  # doctest: +SKIP
        """
        from inception_search.optuna_bridge.export import study_of

        return study_of(self.records, self.space, self.config.objectives, optuna_name(self.run.study_file))

    @cached_property
    def config(self) -> StudyConfig:
        """The options of the search, with the values of all defaults."""
        return StudyConfig.read(self.run.study_file)

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of the study's start: how its data was read, skewed classes, options without effect."""
        notes = facts_of(self.run.study_file).get("notes")
        return tuple(str(note) for note in notes) if isinstance(notes, list) else ()

    @property
    def best(self) -> BestTrial:
        """The best trial by the first objective that is accuracy, balanced accuracy, macro F1 or loss (else accuracy).

        Raises:
            RunFolderError: no trial is complete.
        """
        record = query.best(self.records)
        if record is None:
            raise RunFolderError("no trial of the study is complete", path=str(self.run.path))
        return BestTrial(record)

    @property
    def front(self) -> list[BestTrial]:
        """The Pareto front: the trials that no other trial dominates, best in the first objective first."""
        return [BestTrial(record) for record in front(self.records, self.config.objectives)]

    @property
    def hypervolume(self) -> float | None:
        """The hypervolume of the front up to the study's reference point; None if it has no reference point."""
        reference = reference_of(self.run, self.config)
        return hypervolume(self.records, self.config.objectives, reference) if reference else None
