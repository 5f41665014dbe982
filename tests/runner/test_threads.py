"""The number of threads of a trial is a setting of the study, whatever the machine or its environment say later."""

from pathlib import Path
from typing import Any

import pytest

from inception_search.store.provenance import read_environments
from inception_search.store.run_folder import RunFolder
from inception_search.study import places
from inception_search.study import search as study
from inception_search.study.config import StudyConfig
from tests.study.spaces import TINY

SMALL: dict[str, Any] = {"train_images": 64, "image_size": 8, "baselines": False, "epochs": 1, "device": "cpu"}


def threads_of(run: Path) -> tuple[Any, ...]:
    folder = RunFolder.open(run)
    records = [record.fidelity["threads"] for record in folder.records()]
    said = [entry["threads of a trial"] for entry in read_environments(folder)]
    return StudyConfig.read(folder.study_file).threads, records, said


def test_threads_are_settled_when_the_study_is_made_recorded_and_restored(tmp_path, monkeypatch):
    run = tmp_path / "run"
    monkeypatch.setattr(places, "cores", lambda: 2)
    study.search(TINY, run=run, trials=1, workers=1, **SMALL)
    assert threads_of(run) == (2, [2], ["2"])
    monkeypatch.setattr(places, "cores", lambda: 7)  # another machine
    study.resume(run, trials=2)
    assert threads_of(run) == (2, [2, 2], ["2"])


@pytest.mark.parametrize(
    ("options", "device", "threads", "capacity"),
    [
        ({}, "cpu", 1, 6),
        ({"workers": 2}, "cpu", 1, 2),
        ({"workers": 1}, "cpu", 6, 1),
        ({"threads": 2}, "cpu", 2, 3),
        ({"threads": 16}, "cpu", 16, 1),
        ({"threads": 2, "workers": 6}, "cpu", 2, 6),
        ({}, "cuda:0", None, places.MOST_ON_A_GPU),
        ({"threads": 3}, "cuda:0", 3, places.MOST_ON_A_GPU),
    ],
)
def test_threads_and_trials_at_a_time_fit_the_cores(monkeypatch, options, device, threads, capacity):
    monkeypatch.setattr(places, "cores", lambda: 6)
    config = StudyConfig.of(**options)
    assert (places.threads_of(config, device), places.capacity_of(config, device)) == (threads, capacity)
