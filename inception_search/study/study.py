"""A study seen from outside: its records, its best network."""

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
from inception_search.store.objectives import OBJECTIVES
from inception_search.store.record import COLUMNS, QUALITIES, Records, TrialRecord, html_table, row_of, words_of
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
        """The network as it was trained."""
        return network_from_data(self.record.network)

    @property
    def value(self) -> float:
        """Validation accuracy, 0..1; balanced accuracy or macro F1 where that is the objective."""
        return self.record.score or 0.0

    @property
    def number(self) -> int:
        """Trial number."""
        return self.record.number


class Study:
    """A search and its results, as stored in a run folder. :func:`search` and :func:`open_run` return it.

    Args:
        run: the run folder.
        finished: whether the search reached its end.

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
        said = [", ".join(counts) or "no trials", *([f"best {words_of(best)}"] if best else [])]
        return "; ".join([*said, "finished" if self.finished else "not finished"])

    @classmethod
    @checked
    def open(cls, path: str | Path) -> Study:
        """The study in a run folder, for reading."""
        return cls(RunFolder.open(path))

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.run.path

    @property
    def records(self) -> Records:
        """One record per trial, by number: a list that shows itself as a table."""
        return Records(self.run.records())

    @cached_property
    def space(self) -> Space:
        """The space that is searched."""
        return Space(self.run.space_text(), str(self.run.space_file))

    @property
    def optuna(self) -> optuna.Study:
        """The study as one of Optuna's, with every trial of the moment: a copy in memory, made anew each time.

        A trial has its point as parameters, the objectives as values, validation by epoch as intermediate values, and
        as user attributes its costs, origin, label, ``arch_id``, seed, seconds, reason and what the strategy said of
        it. A paused trial is running, an infeasible one pruned, a duplicate failed; ``user_attrs["state"]`` is ours.

        >>> import inception_search as ins
        >>> copy = ins.open_run("runs/example").optuna  # doctest: +SKIP
        >>> optuna.importance.get_param_importances(copy)  # doctest: +SKIP
        """
        from inception_search.optuna_bridge.export import study_of

        return study_of(self.records, self.space, self.config.objectives, optuna_name(self.run.study_file))

    @cached_property
    def config(self) -> StudyConfig:
        """Every option of the search, resolved."""
        return StudyConfig.read(self.run.study_file)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was said when the study began: how its data was read, skewed classes, options without effect."""
        notes = facts_of(self.run.study_file).get("notes")
        return tuple(str(note) for note in notes) if isinstance(notes, list) else ()

    @property
    def best(self) -> BestTrial:
        """The trial with the highest validation accuracy, or what else is the first objective.

        RunFolderError when none is complete.
        """
        first = next(name for name in self.config.objectives if not OBJECTIVES[name].beforehand)
        records = self.records
        record = query.best(records) if first in QUALITIES else next(iter(front(records, (first,))), None)
        if record is None:
            raise RunFolderError("no trial of the study is complete", path=str(self.run.path))
        return BestTrial(record)

    @property
    def front(self) -> list[BestTrial]:
        """The trials that no other beats in all objectives, best first in the first of them."""
        return [BestTrial(record) for record in front(self.records, self.config.objectives)]

    @property
    def hypervolume(self) -> float | None:
        """What the front dominates up to the study's fixed reference point; None where it has none."""
        reference = reference_of(self.run, self.config)
        return hypervolume(self.records, self.config.objectives, reference) if reference else None
