"""Starting and resuming a search."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_search.errors import RunFolderError
from inception_search.space.space import Space, load_space
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig, facts_of
from inception_search.study.driver import Driver, Setting
from inception_search.study.executor import Executor, LocalExecutor
from inception_search.study.index import open_index
from inception_search.study.observer import Observer
from inception_search.study.prune import make_pruner
from inception_search.study.reap import ensure_baselines, reap
from inception_search.study.samplers import make_sampler
from inception_search.study.study import Study
from inception_search.study.versions import versions

if TYPE_CHECKING:
    from inception_search.data.dataset import Dataset


def search(
    space: Space | str | Path, *, observer: Observer | None = None, config: StudyConfig | None = None, **options: Any
) -> Study:
    """A new study of ``space`` in a run folder of its own, run to its end (or to Ctrl-C).

    Options are the fields of :class:`StudyConfig`. Raises ConfigError, DataError, RunFolderError ... before
    anything is written.
    """
    if config is None:
        named = space.file or space.name if isinstance(space, Space) else str(space)
        config = StudyConfig.of(**{**options, "space": named})
    loaded = space if isinstance(space, Space) else load_space(space)
    dataset = _load(config)
    config = config.model_copy(update={"run": config.run or _new_run(loaded.name)})
    facts = {"data": dataset.describe(), "device": _device(config), "versions": versions()}
    run = RunFolder.create(Path(str(config.run)), study_text=config.text(facts), space_text=loaded.text)
    return _go_on(run, loaded, config, dataset, observer or Observer())


def resume(path: str | Path, *, observer: Observer | None = None, trials: int | None = None) -> Study:
    """Go on with the study in a run folder; ``trials`` raises (or lowers) how many it trains in all."""
    run = RunFolder.open(path)
    changed = {"run": str(run.path)} if trials is None else {"run": str(run.path), "trials": trials}
    config = StudyConfig.read(run.study_file, **changed)
    space = Space(run.space_text(), str(run.space_file))
    dataset = _load(config)
    known = facts_of(run.study_file).get("data", {}).get("fingerprint")
    if known is not None and known != dataset.fingerprint:
        raise RunFolderError(
            "the study was begun on other data",
            path=str(run.path),
            found=f"{config.data} with fingerprint {dataset.fingerprint}",
            expected=f"fingerprint {known}",
            mend="restore the dataset, or start a new run",
        )
    return _go_on(run, space, config, dataset, observer or Observer())


def _go_on(run: RunFolder, space: Space, config: StudyConfig, dataset: Dataset, observer: Observer) -> Study:
    with run.hold(), _data_file(dataset) as data_file:
        fixed = len(space.fixed_points) if config.baselines else 0
        sampler = make_sampler(config.sampler, seed=config.seed + len(run.records()), startup=max(10, fixed))
        study = open_index(run, sampler, make_pruner(config.pruner, epochs=config.epochs))
        reap(study, run)
        if config.baselines:
            ensure_baselines(study, space)
        executor = _executor(config)
        setting = Setting(
            config=config,
            data_file=data_file,
            shape=dataset.shape,
            classes=len(dataset.classes),
            data=dataset.describe(),
            device=_device(config),
            threads=1 if _device(config) == "cpu" and executor.capacity > 1 else None,
        )
        driver = Driver(run, space, study, setting, executor, observer)
        with _stopped_by_signals(driver):
            finished = driver.loop()
    return Study(run, finished)


def _load(config: StudyConfig) -> Dataset:
    from inception_search.data.catalogue import load_data

    return load_data(
        config.data,
        root=config.data_root,
        image_size=config.image_size,
        download=config.download,
        limit=config.train_images,
    )


def _device(config: StudyConfig) -> str:
    from inception_search.training.devices import pick_device

    return str(pick_device(config.device))


def _executor(config: StudyConfig) -> Executor:
    """One process per core on a CPU (each with one thread), one on a GPU."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    capacity = config.workers or (cores if _device(config) == "cpu" else 1)
    return LocalExecutor(capacity, config.trial_seconds)


@contextmanager
def _data_file(dataset: Dataset) -> Iterator[Path]:
    """The train and validation images in a file trials read; the test images are not in it."""
    from inception_search.data.frozen import freeze

    with tempfile.TemporaryDirectory(prefix="inception-search-") as folder:
        path = Path(folder) / "data.safetensors"
        freeze(dataset, path)
        yield path


@contextmanager
def _stopped_by_signals(driver: Driver) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the loop in order; a second one ends the program at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, frame: Any) -> None:
        driver.stop()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _new_run(space: str) -> str:
    """``runs/<space>-<date>-<time>``, not there yet."""
    stem = f"{space}-{datetime.now():%Y%m%d-%H%M%S}"
    path, more = Path("runs") / stem, 1
    while path.exists():
        more += 1
        path = Path("runs") / f"{stem}-{more}"
    return str(path)
