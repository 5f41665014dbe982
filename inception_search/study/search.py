"""Starting and resuming a search."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_search.errors import Place, RunFolderError
from inception_search.space.space import Space, load_space
from inception_search.store.atomic import write_atomic
from inception_search.store.disk import typed_errors
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig, facts_of
from inception_search.study.driver import Driver
from inception_search.study.executor import Executor
from inception_search.study.feasible import check_feasible
from inception_search.study.grow import begin_growth, finish_growth
from inception_search.study.index import open_index
from inception_search.study.local import LocalExecutor
from inception_search.study.observer import Observer
from inception_search.study.plan import Plan, check_same, make_plan
from inception_search.study.prune import make_pruner
from inception_search.study.reap import ensure_baselines, reap
from inception_search.study.samplers import make_sampler
from inception_search.study.setting import Setting
from inception_search.study.signals import stop_on_signals
from inception_search.study.study import Study

if TYPE_CHECKING:
    from inception_search.data.dataset import Dataset


def search(
    space: Space | str | Path, *, observer: Observer | None = None, config: StudyConfig | None = None, **options: Any
) -> Study:
    """A new study of ``space`` in a run folder of its own, run to its end (or to Ctrl-C).

    Options are the fields of :class:`StudyConfig`; they win over ``config``. Raises ConfigError, DataError,
    RunFolderError ... before anything is written.
    """
    loaded = space if isinstance(space, Space) else load_space(space)
    given = config.model_dump() if config else {}
    config = StudyConfig.of(**{**given, **options, "space": _named(space, loaded)})
    if config.data_root:  # the study may be resumed from elsewhere
        config = config.model_copy(update={"data_root": str(Path(config.data_root).expanduser().absolute())})
    plan = make_plan(config, loaded)
    budget = config.budget(plan.device, _threads(config, plan.device))
    check_feasible(loaded, budget, plan.dataset.shape, len(plan.dataset.classes), baselines=config.baselines)
    path = Path(config.run).expanduser() if config.run else _new_run(loaded.name)
    config = config.model_copy(update={"run": str(path)}).with_batch_size(len(plan.dataset.train))
    plan = Plan(config, loaded, plan.dataset, plan.device)
    run = RunFolder.create(path, study_text=plan.config.text(plan.facts()), space_text=loaded.text)
    with run.hold():
        return _run(run, plan, observer or Observer())


def resume(
    path: str | Path,
    *,
    observer: Observer | None = None,
    trials: int | None = None,
    space: Space | str | Path | None = None,
) -> Study:
    """Go on with the study in a run folder; ``trials`` changes how many it trains in all, from now on.

    ``space``: go on in this one, the study's own grown (new labels, wider ranges): its trials are found again in it.
    """
    run = RunFolder.open(Path(path).expanduser())
    loaded = space if isinstance(space, Space) or space is None else load_space(space)
    with run.hold():
        finish_growth(run)
        before = StudyConfig.read(run.study_file)
        config = before if trials is None else StudyConfig.of(**{**before.model_dump(), "trials": trials})
        facts = facts_of(run.study_file)
        if loaded is None:
            plan = make_plan(config, Space(run.space_text(), str(run.space_file)))
            check_same(run, plan, facts)
        else:
            plan = make_plan(config.model_copy(update={"space": _named(space or loaded, loaded)}), loaded)
            config, facts = plan.config, {**facts, "space": plan.facts()["space"]}
            check_same(run, plan, facts)
            if told := begin_growth(run, loaded, config.text(facts), config.baselines):
                (observer or Observer()).note(told)
        if config != before:
            write_atomic(run.study_file, config.text(facts))
        return _run(run, plan, observer or Observer())


def _run(run: RunFolder, plan: Plan, observer: Observer) -> Study:
    config, dataset = plan.config, plan.dataset
    with stop_on_signals() as stop, _data_file(run, dataset) as data_file:
        executor = LocalExecutor(_capacity(config, plan.device), config.trial_seconds)
        setting = Setting(
            config=config,
            data_file=data_file,
            shape=dataset.shape,
            classes=len(dataset.classes),
            data=dataset.describe(),
            device=plan.device,
            threads=_threads(config, plan.device),
        )
        driver = make_driver(run, plan.space, setting, executor, observer, stop)
        return Study(run, driver.loop())


def make_driver(
    run: RunFolder,
    space: Space,
    setting: Setting,
    executor: Executor,
    observer: Observer,
    stop: threading.Event | None = None,
) -> Driver:
    """The driver of a held run folder, after what an earlier one left has been put right."""
    config = setting.config
    fixed = len(space.fixed_points) if config.baselines else 0
    # On going on, the sampler must not draw again what it drew before.
    sampler = make_sampler(config.sampler, seed=config.seed + len(run.records()), startup=max(10, fixed))
    study = open_index(run, sampler, make_pruner(config.pruner, epochs=config.epochs))
    unfinished = reap(study, run, space)
    if config.baselines:
        ensure_baselines(study, space)
    return Driver(run, space, study, setting, executor, observer, unfinished=unfinished, stop=stop)


def _capacity(config: StudyConfig, device: str) -> int:
    """One process per core on a CPU (each with one thread), one on a GPU."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return config.workers or (cores if device == "cpu" else 1)


def _threads(config: StudyConfig, device: str) -> int | None:
    """CPU threads of one trial."""
    return 1 if device == "cpu" and _capacity(config, device) > 1 else None


@contextmanager
def _data_file(run: RunFolder, dataset: Dataset) -> Iterator[Path]:
    """The train and validation images in a file trials read; the test images are not in it.

    In the run folder, where a search that goes on after a kill replaces and then removes it.
    """
    from safetensors import SafetensorError

    from inception_search.data.frozen import freeze

    path = run.jobs_folder / "data.safetensors"
    try:
        with typed_errors(path):
            freeze(dataset, path)
        yield path
    except SafetensorError as error:
        raise RunFolderError(f"the images cannot be written for the trials: {error}", place=Place(str(path))) from None
    finally:
        path.unlink(missing_ok=True)


def _named(space: Space | str | Path, loaded: Space) -> str:
    """What a configuration calls the space: its name or file, where it has been given so."""
    if isinstance(space, Space):
        return space.file or space.name
    return loaded.name if "\n" in str(space) else str(space)


def _new_run(space: str) -> Path:
    """``runs/<space>-<date>-<time>``, not there yet."""
    stem = f"{space}-{datetime.now():%Y%m%d-%H%M%S}"
    path, more = Path("runs") / stem, 1
    while path.exists():
        more += 1
        path = Path("runs") / f"{stem}-{more}"
    return path
