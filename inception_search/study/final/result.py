"""The result of the final trainings: the table, the verdict, and sentences about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from inception_search.analysis.significance import Comparison, points
from inception_search.numbers import counted
from inception_search.store.final_training import FinalTraining, best_training
from inception_search.store.record import QUALITIES, html_table
from inception_search.store.run_folder import RunFolder
from inception_search.study.final.folder import FinalsFolder
from inception_search.study.final.selection import Setting
from inception_search.study.final.table import COLUMNS, FinalRow, FinalTable, comparison_data

SCHEMA = "inception-search/finals"
VERSION = 1


@dataclass(frozen=True)
class Finals:
    """The result of the final trainings; if not ``finished``, they were stopped and there is no result yet."""

    run: RunFolder
    setting: Setting
    table: FinalTable
    times_read: int
    """Number of settings whose results on the study's test images have been seen."""
    finished: bool

    def __repr__(self) -> str:
        count = counted(len(self.rows), "network")
        return f"Finals({str(self.run.path)!r}, {f'{count}, finished' if self.finished else 'not finished'})"

    def _repr_html_(self) -> str:
        """The table of the final trainings, followed by the sentences."""
        caption = f"{self.run.path}: final trainings; test and validation are {QUALITIES[self.table.quality]}"
        if not self.finished:
            return html_table(COLUMNS, [], f"{caption}; not finished")
        paragraphs = "".join(f"<p>{escape(sentence)}.</p>" for sentence in self.sentences)
        return html_table(COLUMNS, (row.cells() for row in self.rows), caption) + paragraphs

    @property
    def rows(self) -> tuple[FinalRow, ...]:
        """One row per network, in the order of the search; empty until all are trained."""
        return self.table.rows if self.finished else ()

    @property
    def verdict(self) -> Comparison | None:
        """The best found network compared with the best baseline, both chosen by validation; None if one is missing."""
        return self.table.verdict if self.finished else None

    @property
    def best(self) -> FinalTraining | None:
        """The best training of the best network, both by validation: ``ins.load_model(finals.best.file)`` reads it.

        ``ins.load_model("runs/first:final")`` loads the same one. None until all are trained, or if all failed.
        """
        return best_training(training for row in self.rows for training in row.trainings)

    @property
    def files(self) -> tuple[Path, ...]:
        """The written files."""
        folder = FinalsFolder(self.run.path / "finals", self.setting)
        return (folder.markdown_file, folder.table_file, folder.records_file)

    @property
    def sentences(self) -> list[str]:
        """Sentences on the verdict, failures, and how often the test set has been read."""
        return list(_sentences(self)) if self.finished else []

    def data(self) -> dict[str, Any]:
        """The result as plain JSON."""
        return {
            "schema": SCHEMA,
            "version": VERSION,
            "setting": self.setting.id,
            "recipe": self.setting.recipe,
            "seeds": list(self.setting.seeds),
            "times_read": self.times_read,
            "quality": self.table.quality,
            "best_baseline": self.table.best_baseline,
            "best": None if self.best is None else {"trial": self.best.trial, "seed": self.best.seed},
            "rows": [row.data() for row in self.rows],
            "verdict": None if self.verdict is None else comparison_data(self.verdict),
            "sentences": self.sentences,
        }


def _other_results(finals: Finals) -> Iterator[str]:
    """Accuracy if the verdict uses another measure, and the study's measure if the verdict does not use it."""
    used, chosen = finals.table.quality, finals.setting.quality
    if chosen == "accuracy":
        return
    other = "accuracy" if used == chosen else chosen
    means = [(row.entrant.name, row.mean(f"test_{other}")) for row in finals.rows]
    known = [f"{name} {points(value)} %" for name, value in means if value is not None]
    if known:
        yield f"{QUALITIES[other]} on the test images: {', '.join(known)}"
    if used != chosen:
        yield (
            f"the study chose by {QUALITIES[chosen]}; the verdict is on accuracy, for trainings of an earlier version "
            "kept no more of each test image than whether it was right"
        )


def _no_verdict(finals: Finals) -> str:
    if all(row.entrant.found for row in finals.rows):
        return "no comparison: these trainings are of networks that the search found, without a canonical baseline"
    missing = "canonical network" if finals.table.best_baseline is None else "found network"
    return f"no verdict: there is no {missing} that was trained in full to compare with"


def _sentences(finals: Finals) -> Iterator[str]:
    table, verdict = finals.table, finals.verdict
    words, chosen = QUALITIES[table.quality], QUALITIES[finals.setting.quality]
    best = next((row for row in finals.rows if row.entrant.found), None)
    if best is not None and not best.tested:
        yield f"{best.entrant.name}, the best found in the search, could not be trained: {best.failures[0]}"
    if verdict is not None:
        yield (
            f"{verdict.ours}, the best network found in the search, compared with {verdict.theirs}, the best canonical "
            f"network by validation {chosen}, by test {words}: {verdict.words}"
        )
    else:
        yield _no_verdict(finals)
    yield from _other_results(finals)
    compared = [row for row in finals.rows if row.p_value is not None]
    if len(compared) > 1:
        yield f"last column: of {len(compared)} comparisons with {table.best_baseline}, by Holm's correction"
    for row in finals.rows:
        if row.failures:
            total = len(finals.setting.seeds)
            yield f"{row.entrant.name}: {len(row.failures)} of {total} trainings failed ({row.failures[0]})"
    if finals.times_read == 1:
        yield "the test images of this study have been read under this setting alone"
    else:
        yield (
            f"the test images of this study have been read under {finals.times_read} different settings: whoever picks "
            "the best of them sees differences that are not there"
        )
