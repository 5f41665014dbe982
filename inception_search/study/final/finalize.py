"""The end of a study: its best networks and the canonical ones trained in full, and tested once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_search.errors import ConfigError, Place, RunFolderError, raw
from inception_search.runner.fork_server import start_server
from inception_search.runner.process_executor import LocalExecutor
from inception_search.runner.signals import stop_on_signals
from inception_search.space.space import Space
from inception_search.spec.document import network_from_data
from inception_search.store.atomic import write_atomic
from inception_search.store.environment import cores
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig, facts_of
from inception_search.study.context import check_same, make_plan
from inception_search.study.final.folder import FinalsFolder
from inception_search.study.final.loop import FinalsLoop, How, Training
from inception_search.study.final.observer import FinalsObserver
from inception_search.study.final.options import FinalOptions, recipe_of
from inception_search.study.final.record import FinalRecord
from inception_search.study.final.result import Finals
from inception_search.study.final.selection import Setting, make_setting
from inception_search.study.final.table import make_table, markdown
from inception_search.study.trial import Trial, make_candidate

if TYPE_CHECKING:
    from inception_search.data.dataset import Dataset


def finalize(run: str | Path, *, observer: FinalsObserver | None = None, **options: Any) -> Finals:
    """Train the best found and the canonical networks of a study in full, and test them once.

    Options are those of :class:`~inception_search.study.final.options.FinalOptions` (top, baselines, seeds, epochs
    ...). Called again it trains what is missing; where nothing is, it gives what is stored and reads no image.
    Raises ConfigError, DataError, RunFolderError (also for a study without complete trials).
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
        told = Finals(folder, setting, make_table(setting, records, folder.path), len(finals.seen(records)), finished)
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
    start_server()
    device, dataset = _dataset(finals.run, config, options)
    data = dataset.describe()
    same = [record for record in records if record.recipe == setting.recipe_id]
    _check_unchanged(finals, same, data)
    workers = options.workers or config.workers or (cores() if device == "cpu" else 1)
    threads = {"threads": config.threads or (1 if workers > 1 else cores())} if device == "cpu" else {}
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
    sizes = {name: getattr(options, name) for name in ("train_images", "validation_images")}
    sizes["image_size"] = options.image_size or config.training.image_size
    if {**config.options(), **sizes} == config.options():
        return plan.device, plan.dataset
    return plan.device, make_plan(config.changed(device=device, **sizes), space).dataset


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
                hint="restore the dataset, or move finals.jsonl away to begin again",
            )


def _trainings(setting: Setting, dataset: Dataset) -> Iterator[Training]:
    """Seed by seed, so that what is there when it is stopped has something of every network."""
    trials: dict[int, Trial] = {}
    for seed in setting.seeds:
        for entrant in setting.entrants:
            number = entrant.record.number
            if number not in trials:
                network = network_from_data(entrant.record.network)
                candidate = make_candidate(network, {}, dataset.shape, len(dataset.classes))
                if candidate.reason is not None:
                    hint = "choose another --image-size"
                    rule = f"{entrant.name} does not fit images of this size: {candidate.reason}"
                    raise ConfigError(rule, path="image_size", found=dataset.shape[1], hint=hint)
                trials[number] = Trial.of(number, candidate)
            yield Training(entrant, trials[number], seed, setting.recipe_id)


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
