"""The end of a study: its best networks and the canonical ones trained in full, and tested once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_search.errors import Place, RunFolderError, raw
from inception_search.space.space import Space
from inception_search.spec.document import network_from_data
from inception_search.store.atomic import write_atomic
from inception_search.store.run_folder import RunFolder
from inception_search.study.candidate import Candidate, make_candidate
from inception_search.study.config import StudyConfig, facts_of
from inception_search.study.finals.folder import FinalsFolder
from inception_search.study.finals.loop import FinalsLoop, FinalsObserver, How, Training
from inception_search.study.finals.options import FinalOptions, recipe_of
from inception_search.study.finals.record import FinalRecord
from inception_search.study.finals.selection import Setting, make_setting
from inception_search.study.finals.table import FinalRow, FinalTable, comparison_data, make_table, markdown
from inception_search.study.local import LocalExecutor
from inception_search.study.plan import check_same, make_plan
from inception_search.study.signals import stop_on_signals
from inception_search.study.verdict import Comparison

if TYPE_CHECKING:
    from inception_search.data.dataset import Dataset

SCHEMA = "inception-search/finals"
VERSION = 1


@dataclass(frozen=True)
class Finals:
    """What came of the final trainings. Not ``finished``: stopped before all were trained, and nothing is told yet."""

    run: RunFolder
    setting: Setting
    table: FinalTable
    times_read: int
    """Different settings under which results on the test images of this study have been seen."""
    finished: bool

    def __repr__(self) -> str:
        return f"Finals({str(self.run.path)!r}, {len(self.rows)} networks, finished={self.finished})"

    @property
    def rows(self) -> tuple[FinalRow, ...]:
        """One a network, in the order of the search; none before all is trained."""
        return self.table.rows if self.finished else ()

    @property
    def verdict(self) -> Comparison | None:
        """The best found against the best baseline, both chosen by validation; None where one of them is missing."""
        return self.table.verdict if self.finished else None

    @property
    def files(self) -> tuple[Path, ...]:
        """What was written."""
        folder = FinalsFolder(self.run)
        return (folder.markdown_file, folder.table_file, folder.records_file)

    @property
    def sentences(self) -> list[str]:
        """What is to be said of the table: the verdict, failures, and how often the test set has been read."""
        return list(_sentences(self)) if self.finished else []

    def data(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        return {
            "schema": SCHEMA,
            "version": VERSION,
            "setting": self.setting.id,
            "recipe": self.setting.recipe,
            "seeds": list(self.setting.seeds),
            "times_read": self.times_read,
            "best_baseline": self.table.best_baseline,
            "rows": [row.data() for row in self.rows],
            "verdict": None if self.verdict is None else comparison_data(self.verdict),
            "sentences": self.sentences,
        }


def finalize(run: str | Path, *, observer: FinalsObserver | None = None, **options: Any) -> Finals:
    """Train the best found and the canonical networks of a study in full, and test them once.

    Options are those of :class:`~inception_search.study.finals.options.FinalOptions` (top, baselines, seeds, epochs
    ...). Called again it trains what is missing; where nothing is, it gives what is stored and reads no image.
    Raises ConfigError, DataError, RunFolderError (also for a study without complete trials or baselines).
    """
    checked = FinalOptions.of(**options)
    folder = RunFolder.open(Path(run).expanduser())
    config = StudyConfig.read(folder.study_file)
    setting = make_setting(folder, config, checked, recipe_of(config, checked))
    with folder.hold():
        finals = FinalsFolder(folder)
        finals.prepare()
        records = finals.records()
        done = {(r.arch_id, r.seed) for r in records if r.recipe == setting.recipe_id and r.state != "lost"}
        wanted = {(str(each.record.arch_id), seed) for each in setting.entrants for seed in setting.seeds}
        finished = wanted <= done or _train(finals, config, checked, setting, records, observer or FinalsObserver())
        if finished:
            finals.note(setting)
        records = finals.records()
        told = Finals(folder, setting, make_table(setting, records), len(finals.seen(records)), finished)
        if finished:
            write_atomic(finals.table_file, json.dumps(told.data(), indent=1, allow_nan=False) + "\n")
            write_atomic(finals.markdown_file, markdown(told.rows, told.sentences))
        return told


def _train(
    finals: FinalsFolder,
    config: StudyConfig,
    options: FinalOptions,
    setting: Setting,
    records: list[FinalRecord],
    observer: FinalsObserver,
) -> bool:
    """Train what is missing; False when stopped."""
    device, dataset = _dataset(finals.run, config, options)
    data = dataset.describe()
    same = [record for record in records if record.recipe == setting.recipe_id]
    _check_unchanged(finals, same, data)
    workers = options.workers or config.workers or (_cores() if device == "cpu" else 1)
    threads = {"threads": 1} if device == "cpu" and workers > 1 else {}
    sizes = {"image_size": dataset.shape[1], "train_images": len(dataset.train)}
    fidelity = {name: value for name, value in setting.recipe.items() if name != "aux"} | sizes | threads
    known = {(record.arch_id, record.seed) for record in same if record.state != "lost"}
    trainings = [each for each in _trainings(setting, dataset) if (each.entrant.record.arch_id, each.seed) not in known]
    observer.started(len(setting.entrants) * len(setting.seeds) - len(trainings), len(trainings), fidelity["epochs"])
    others = len(finals.seen(records) - {setting.id})
    if others:
        observer.note(f"the test images have been read under {_many(others, 'other setting')} before")
    how = How(fidelity, device, data, config.retries)
    with stop_on_signals() as stop, finals.images(dataset):
        executor = LocalExecutor(workers, float("inf"), persistent=device != "cpu")
        return FinalsLoop(finals, setting, how, executor, observer, stop).train(trainings)


def _dataset(run: RunFolder, config: StudyConfig, options: FinalOptions) -> tuple[str, Dataset]:
    """The device, and the whole dataset, after the study's own is known to be as it was."""
    device = options.device or config.device
    space = Space(run.space_text(), str(run.space_file))
    plan = make_plan(config.model_copy(update={"device": device}), space)
    check_same(run, plan, facts_of(run.study_file))
    sizes = {"image_size": options.image_size, "train_images": options.train_images}
    if all(getattr(config, name) == value for name, value in sizes.items()):
        return plan.device, plan.dataset
    return plan.device, make_plan(config.model_copy(update={"device": device, **sizes}), space).dataset


def _check_unchanged(finals: FinalsFolder, records: list[FinalRecord], data: dict[str, Any]) -> None:
    """Refuse other images than those of trainings that stand in the same table."""
    for record in records:
        before = record.data.get("fingerprint")
        if before != data["fingerprint"]:
            raise RunFolderError(
                "the final trainings were begun on other data",
                place=Place(str(finals.records_file)),
                found=raw(f"fingerprint {data['fingerprint']}"),
                expected=f"fingerprint {before}",
                mend="restore the dataset, or move finals.jsonl away to begin again",
            )


def _trainings(setting: Setting, dataset: Dataset) -> Iterator[Training]:
    """Seed by seed, so that what is there when it is stopped has something of every network."""
    candidates: dict[int, Candidate] = {}
    for seed in setting.seeds:
        for entrant in setting.entrants:
            number = entrant.record.number
            if number not in candidates:
                network = network_from_data(entrant.record.network)
                candidates[number] = make_candidate(network, {}, dataset.shape, len(dataset.classes))
            if candidates[number].cost is None:
                mend = "choose another --image-size"
                rule = f"{entrant.name} does not fit images of this size: {candidates[number].unfit}"
                raise RunFolderError(rule, path="image_size", found=dataset.shape[1], mend=mend)
            yield Training(entrant, candidates[number], seed, setting.recipe_id)


def _sentences(finals: Finals) -> Iterator[str]:
    table, verdict = finals.table, finals.verdict
    best = next((row for row in finals.rows if row.entrant.found), None)
    if best is not None and not best.tested:
        yield f"{best.entrant.name}, the best found in the search, could not be trained: {best.failures[0]}"
    if verdict is not None:
        yield (
            f"{verdict.ours}, the best found, against {verdict.theirs}, the best canonical network (both chosen by "
            f"validation): {verdict.words}"
        )
    else:
        missing = "canonical network" if table.best_baseline is None else "found network"
        yield f"no verdict: there is no {missing} that was trained in full to compare with"
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


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
