"""The worker's side of a study: it attaches to the search that runs in a folder, on this or another machine."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from inception_search.errors import ConfigError
from inception_search.runner.fork_server import start_server
from inception_search.runner.signals import stop_on_signals
from inception_search.runner.worker import Worker
from inception_search.store.links import refuse_links
from inception_search.store.query import leaderboard
from inception_search.store.record import TRAINED
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig

IDLE = 600.0  # seconds without a search after which a worker exits


def attend(
    run: str | Path,
    *,
    device: str = "auto",
    idle: float = IDLE,
    note: Callable[[str], None] = lambda text: None,
    stop: threading.Event | None = None,
) -> int:
    """Run trials of the study in folder ``run``, one at a time, until it is finished; return how many ended here.

    Without a running search it waits up to ``idle`` seconds, because a killed search may be resumed. Machines may share
    the folder if its file system shares locks too. Raises RunFolderError if the folder holds no study.
    """
    folder = RunFolder.open(run)
    refuse_links(folder.path)
    config = StudyConfig.read(folder.study_file)
    if idle < 0:
        raise ConfigError("not a usable value", path="idle", found=idle, expected="seconds, 0 or more")
    start_server()  # it loads torch at the same time as this process
    from inception_search.training.devices import pick_device

    picked = str(pick_device(device))
    with stop_on_signals() as signalled:
        worker = Worker(
            folder,
            picked,
            trial_seconds=config.trial_seconds,
            is_done=lambda: is_done(folder, config),
            note=note,
            stop=stop or signalled,
        )
        return worker.until_done(idle)


def is_done(run: RunFolder, config: StudyConfig) -> bool:
    """Whether every trial of the study is trained, according to its folder."""
    if any(run.jobs_folder.glob("*.json")):
        return False
    records = run.records()
    trained = [record for record in records if record.state in TRAINED]
    first = [record for record in trained if record.repeat_of is None]
    again = Counter(record.repeat_of for record in trained)
    repeated = leaderboard(records, config.repeat_top or len(records))
    missing = any(again[record.number] < config.repeats - 1 for record in repeated)
    paused = any(record.state == "paused" for record in records)
    return len(first) >= config.trials and not missing and not paused
