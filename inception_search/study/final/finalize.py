"""The end of a study: retrains its best networks and the canonical ones in full, and tests each once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_search.errors import ConfigError
from inception_search.numbers import counted
from inception_search.runner.fork_server import start_server
from inception_search.runner.job import read_job
from inception_search.runner.signals import stop_on_signals
from inception_search.space.space import Space
from inception_search.spec.documents.parse import network_from_data
from inception_search.store.atomic import write_atomic
from inception_search.store.provenance import cores
from inception_search.store.run_folder import RunFolder
from inception_search.strategies.protocol import Proposal
from inception_search.study.config import StudyConfig, facts_of
from inception_search.study.context import Plan, check_same, make_plan, refuse_other
from inception_search.study.final.folder import FinalsFolder
from inception_search.study.final.loop import FinalsLoop
from inception_search.study.final.observer import FinalsObserver
from inception_search.study.final.options import FinalOptions, final_config
from inception_search.study.final.record import FinalRecord, read_finals
from inception_search.study.final.result import Finals
from inception_search.study.final.selection import Entrant, make_setting
from inception_search.study.final.table import make_table, markdown
from inception_search.study.places import make_executor, place_of
from inception_search.study.trial import Trial, make_candidate

if TYPE_CHECKING:
    from inception_search.data.dataset import Dataset
    from inception_search.runner.ray_cluster import RayCluster


def finalize(run: str | Path, *, observer: FinalsObserver | None = None, **options: Any) -> Finals:
    """Retrain the best found and the canonical networks of a study in full, and test each once.

    Options are those of :class:`~inception_search.study.final.options.FinalOptions` (top, baselines, seeds, epochs
    ...). A further call trains what is missing; if nothing is, it returns the stored results and reads no images.
    Raises ConfigError, DataError, RunFolderError (also for a study without complete trials).
    """
    checked = FinalOptions.of(**options)
    folder = RunFolder.open(Path(run).expanduser())
    config = StudyConfig.read(folder.study_file)
    final = final_config(config, checked)
    setting = make_setting(folder, final, checked)
    with folder.hold():
        finals = FinalsFolder(folder.path / "finals", setting)
        finals.prepare()
        records = read_finals(finals.records_file)
        missing = setting.missing(records)
        finished = True
        if missing:
            if final.executor == "local":
                start_server()
            with place_of(_plan(folder, config, final)) as (plan, cluster):
                plan = _with_workers(plan)
                finished = _train(finals, plan, cluster, missing, records, observer or FinalsObserver())
        if finished:
            finals.note()
        records = read_finals(finals.records_file)
        result = Finals(folder, setting, make_table(setting, records, folder.path), len(finals.seen(records)), finished)
        if finished:
            write_atomic(finals.table_file, json.dumps(result.data(), indent=1, allow_nan=False) + "\n")
            write_atomic(finals.markdown_file, markdown(result.rows, result.sentences))
        return result


def _plan(run: RunFolder, config: StudyConfig, final: StudyConfig) -> Plan:
    """The plan of the final trainings, after checking that the study's images are unchanged."""
    space = Space(run.space_text(), str(run.space_file))
    plan = make_plan(config.changed(device=final.device, executor=final.executor), space, run)
    check_same(run, plan, facts_of(run.study_file))
    images = ("train_images", "validation_images", "image_size")
    if any(getattr(final, name) != getattr(config, name) for name in images):
        plan = make_plan(final, space, run)
    sizes = {"image_size": plan.dataset.shape[1], "train_images": len(plan.dataset.train)}
    return replace(plan, config=final.changed(**sizes))


def _with_workers(plan: Plan) -> Plan:
    """The plan with the number of trainings that run at the same time, and with the threads of each."""
    final, here = plan.config, plan.config.executor == "local"
    workers = final.workers or ((cores() if plan.device == "cpu" else 1) if here else None)
    alone = here and workers == 1
    threads = (final.threads or (cores() if alone else 1)) if plan.device == "cpu" else None
    return replace(plan, config=final.changed(workers=workers, threads=threads))


def _train(
    finals: FinalsFolder,
    plan: Plan,
    cluster: RayCluster | None,
    missing: Sequence[int],
    records: Sequence[FinalRecord],
    observer: FinalsObserver,
) -> bool:
    """Train the missing trainings; False if stopped."""
    setting = finals.setting
    hint = "restore the dataset, or move finals.jsonl away to start over"
    for record in records:
        if record.recipe == setting.recipe_id:  # they are in the same table
            begun, now = str(record.data.get("fingerprint")), plan.dataset.fingerprint
            refuse_other("the final trainings were begun on other data", finals.records_file, begun, now, hint)
    trials = list(_trials(finals, missing, plan.dataset))  # first: an error about a network comes before any work
    with stop_on_signals() as stop, plan.opened(finals, test=True) as context:
        observer.started(len(setting.trainings) - len(missing), len(missing), plan.config.training.epochs)
        if others := len(finals.seen(records) - {setting.id}):
            observer.note(f"the test images have been read under {counted(others, 'other setting')} before")
        executor = make_executor(plan, cluster, finals, observer.note, trial_seconds=float("inf"))
        return FinalsLoop(finals, context, executor, observer, trials, stop).loop()


def _trials(finals: FinalsFolder, missing: Sequence[int], dataset: Dataset) -> Iterator[Trial]:
    """The missing trainings. Raises ConfigError for a network that does not fit the images."""
    trials = {entrant.rank: _trial(entrant, dataset) for entrant in finals.setting.entrants}
    for number in missing:
        entrant, seed = finals.setting.trainings[number]
        job = read_job(finals.job_file(number))  # from a stopped call
        facts = {"seed": seed, "title": f"{entrant.name} seed {seed}", "attempt": job.attempt if job else 0}
        yield trials[entrant.rank].again(number=number, **facts)


def _trial(entrant: Entrant, dataset: Dataset) -> Trial:
    """The network of an entrant at the size of the images, as a trial."""
    record = entrant.record
    candidate = make_candidate(network_from_data(record.network), {}, dataset.shape, len(dataset.classes))
    if candidate.reason is not None:
        hint = "choose another --image-size"
        rule = f"{entrant.name} does not fit images of this size: {candidate.reason}"
        raise ConfigError(rule, path="image_size", found=dataset.shape[1], hint=hint)
    return Trial.of(record.number, candidate, Proposal({}, {}, record.origin, record.label))
