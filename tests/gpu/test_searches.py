"""Searches on a device: several trials at a time, a killed process, too little memory, finals, a limit of latency."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import inception_search as ins
from inception_search.runner.gpu_concurrency import Packing
from inception_search.study import search as search_module
from inception_search.study.observer import Observer
from inception_search.study.study import Study
from tests.study.spaces import TINY

SMALL: dict[str, Any] = {
    "epochs": 2,
    "train_images": 64,
    "image_size": 8,
    "baselines": False,
    "strategy": "random",
    "pruner": "none",
    "workers": 2,
}
TRIALS = 12


class Watch(Observer):
    """Counts trials that run, keeps notes, and acts once at the first epoch or at a note."""

    def __init__(self, at_epoch: Callable[[int], object] | None = None, at_note: Callable[[], object] | None = None):
        self.at_epoch, self.at_note = at_epoch, at_note
        self.notes: list[str] = []
        self.running, self.most = set[int](), 0

    def launched(self, number: int, label: str | None) -> None:
        self.running.add(number)
        self.most = max(self.most, len(self.running))

    def epoch(self, number: int, metrics: dict[str, Any]) -> None:
        if self.at_epoch is not None:
            act, self.at_epoch = self.at_epoch, None
            act(number)

    def recorded(self, record: Any) -> None:
        self.running.discard(record.number)

    def note(self, text: str) -> None:
        self.notes.append(text)
        if self.at_note is not None and "ran out of memory" in text:
            act, self.at_note = self.at_note, None
            act()


def kill(number: int) -> None:
    """Kill a process that trains; those of a GPU take one trial after another."""
    next(child for child in multiprocessing.active_children() if child.name.startswith("trial-")).kill()


@pytest.fixture(scope="module")
def packed_two() -> Iterator[None]:
    """Two trials share the GPU from the beginning; a search finds the number by measuring."""

    def two(config: Any, device: str, cluster: Any = None) -> Packing | None:
        if device == "cpu":
            return None
        packing = Packing(2, float(torch.cuda.get_device_properties(device).total_memory))
        packing.capacity = 2
        return packing

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_module, "make_packing", two)
        yield


@pytest.fixture(scope="module")
def searched(device: torch.device, packed_two: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Watch]:
    """A search with one killed process."""
    watch = Watch(at_epoch=kill)
    run = tmp_path_factory.mktemp("search") / "run"
    study = ins.search(TINY, trials=TRIALS, device=device.type, run=run, observer=watch, **SMALL)
    return study, watch


def test_a_killed_process_costs_no_trial(searched: tuple[Study, Watch], device: torch.device) -> None:
    study, watch = searched
    trained = [record for record in study.records if record.state != "duplicate"]
    assert [record.state for record in trained] == ["complete"] * TRIALS
    assert any("lost its process" in note for note in watch.notes)
    assert all(str(record.device).startswith(device.type) for record in trained)


def test_two_trials_run_at_a_time(searched: tuple[Study, Watch]) -> None:
    assert searched[1].most == 2


def test_finals(searched: tuple[Study, Watch], device: torch.device) -> None:
    options: dict[str, Any] = {"top": 1, "baselines": 0, "seeds": 2, "epochs": 1, "train_images": 64}
    finals = ins.finalize(searched[0].path, device=device.type, validation_images=64, progress=False, **options)
    (row,) = finals.rows
    assert len(row.trainings) == 2


def test_a_limit_of_latency(device: torch.device, tmp_path: Path) -> None:
    options = SMALL | {"epochs": 1, "max_latency_ms": 1000.0, "objectives": ["accuracy", "latency"]}
    study = ins.search(TINY, trials=2, device=device.type, run=tmp_path / "run", progress=False, **options)
    assert all(0 < record.measures["latency"] <= 1000 for record in study.records if record.state == "complete")


def test_packing_is_found_by_measuring(gpu: torch.device, tmp_path: Path) -> None:
    study = ins.search(TINY, trials=16, device="cuda", run=tmp_path / "run", progress=False, **SMALL | {"workers": 4})
    assert [record.state for record in study.records if record.state != "duplicate"] == ["complete"] * 16


def test_a_trial_without_memory_runs_again_when_there_is_some(
    gpu: torch.device, packed_two: None, tmp_path: Path
) -> None:
    """This process takes the memory and gives it back when the first trial has run out of it."""
    taken: list[torch.Tensor] = []
    free, _ = torch.cuda.mem_get_info(gpu)
    taken.append(torch.empty(int(free - 4e9), dtype=torch.uint8, device=gpu))  # two contexts fit, trainings do not

    def give_back() -> None:
        taken.clear()
        torch.cuda.empty_cache()

    watch = Watch(at_note=give_back)
    options = SMALL | {"train_images": 1000, "batch_size": 1000, "image_size": 28, "trials": 3}
    space = TINY.replace("1x8x8", "1x28x28").replace("3x3 8 s2", "3x3 512")
    try:
        study = ins.search(space, device="cuda", run=tmp_path / "run", observer=watch, **options)
    finally:
        give_back()
    assert any("ran out of memory beside others" in note for note in watch.notes)
    assert any(record.state == "complete" and record.attempt > 1 for record in study.records)
