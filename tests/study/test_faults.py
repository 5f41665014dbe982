"""Trials that hang, run out of memory or find a damaged state; folders that cannot be written."""

import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inception_search.errors import RunFolderError
from inception_search.runner import process_executor as local
from inception_search.store.record import TrialRecord
from inception_search.study.search import resume, search
from inception_search.study.study import Study
from tests.study.conftest import Watch
from tests.study.spaces import THREE_POINTS, TINY

SMALL: dict[str, Any] = {"train_images": 64, "image_size": 8, "baselines": False, "pruner": "none", "workers": 2}
LARGE = THREE_POINTS.replace("[4, 8, 12]", "[32, 33]").replace(", stride: 2", "").replace("1x8x8", "1x64x64")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


def process(number: int) -> int:
    """The process of a trial."""
    (child,) = [child for child in multiprocessing.active_children() if child.name == f"trial-{number}"]
    assert child.pid
    return child.pid


def curve(record: TrialRecord) -> list[dict[str, Any]]:
    """What a trial came to, without what depends on the clock."""
    return [epoch.model_dump(exclude={"seconds"}) for epoch in record.curve]


def test_a_trial_that_hangs_and_hears_nothing_goes_on_from_its_last_epoch(run, monkeypatch):
    monkeypatch.setattr(local, "_GRACE", 0.2)
    watch = Watch(lambda number: os.kill(process(number), signal.SIGSTOP))
    study = search(TINY, run=run, observer=watch, trials=1, epochs=3, trial_seconds=3.0, **SMALL)
    (record,) = study.records
    assert (record.state, record.attempt, record.resources["resumed_from"]) == ("complete", 2, 1)
    assert watch.notes == ["trial 0 ran out of time; it runs again"]


def test_memory_that_runs_out_is_recorded_and_the_search_goes_on(run):
    def limit(number: int) -> None:
        pid = process(number)
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
        resource.prlimit(pid, resource.RLIMIT_AS, (pages * resource.getpagesize(), resource.RLIM_INFINITY))

    small = {**SMALL, "train_images": 128, "image_size": 64, "batch_size": 128, "workers": 1}
    study = search(LARGE, run=run, observer=Watch(limit), trials=2, epochs=2, **small)
    first, second = study.records
    assert (first.state, first.attempt, len(first.curve)) == ("failed", 1, 1)
    assert str(first.reason).startswith("out of memory while training")
    assert (second.state, second.attempt) == ("complete", 1)


def flipped(data: bytes) -> bytes:
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]


@pytest.mark.parametrize("damage", [flipped, lambda data: data[:-1], lambda data: b""], ids=["flipped", "cut", "empty"])
def test_a_damaged_state_is_set_aside_and_the_training_begins_again(run, tmp_path, damage):
    def spoil_and_kill(number: int) -> None:
        state = run / "checkpoints" / f"{number}.state"
        state.write_bytes(damage(state.read_bytes()))
        os.kill(process(number), signal.SIGKILL)

    options = {"trials": 1, "epochs": 3, **SMALL}
    study = search(TINY, run=run, observer=Watch(spoil_and_kill), **options)
    peace = search(TINY, run=tmp_path / "peace", **options)
    assert [curve(record) for record in study.records] == [curve(record) for record in peace.records]
    assert [path.name for path in (run / "checkpoints").glob("*.corrupt")] == ["0.state.corrupt"]


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Make the disk of a folder read-only; a real one needs rights that tests should not have."""

    def freeze(folder: Path) -> None:
        real = os.open

        def refuse(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and Path(path).is_relative_to(folder):
                raise OSError(30, os.strerror(30), str(path))
            return real(path, flags, *args, **kwargs)

        monkeypatch.setattr(os, "open", refuse)

    return freeze


def test_a_read_only_folder_can_be_looked_at_and_not_searched_in(run, read_only):
    study = search(TINY, run=run, trials=2, epochs=1, **SMALL)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    read_only(run)
    with pytest.raises(RunFolderError, match=f"{run}/run.lock: the file system is read-only; choose a run folder"):
        resume(run, trials=4)
    assert Study.open(run).best.value == study.best.value
    assert len(Study.open(run).records) == 2
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_no_study_begins_in_a_read_only_folder(tmp_path, read_only):
    read_only(tmp_path)
    with pytest.raises(RunFolderError, match="the file system is read-only; choose a run folder"):
        search(TINY, run=tmp_path / "run", trials=1, epochs=1, **SMALL)
    assert not list(tmp_path.iterdir())
