"""Searches with real trainings in real processes, as small as they can be."""

import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

import inception_search as ins
from inception_search.data.catalogue import load_data
from inception_search.errors import (
    RunFolderError,
)
from inception_search.store.run_folder import RunFolder
from inception_search.study.search import resume, search
from inception_search.study.study import Study
from tests.bounds import PATIENCE, bounded
from tests.study.conftest import Watch
from tests.study.spaces import TINY

SMALL: dict[str, Any] = {"epochs": 1, "train_images": 64, "image_size": 8, "baselines": False, "workers": 2}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "one"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A search of four trials, the two baselines among them; only to be looked at."""
    path = tmp_path_factory.mktemp("study") / "run"
    return search(TINY, **SMALL | {"baselines": True, "trials": 4, "run": path})


def test_a_search_leaves_a_whole_run_folder(finished):
    assert finished.finished
    records = [record for record in finished.records if record.state != "duplicate"]
    assert [record.state for record in records] == ["complete"] * 4
    assert {record.label for record in records} == {"v1_3a", "v1_4a", None}
    assert {path.name for path in finished.path.iterdir()} >= {
        "study.yaml",
        "space.yaml",
        "trials.jsonl",
        "journal.log",
    }
    assert not list((finished.path / "jobs").iterdir())
    assert not list((finished.path / "results").iterdir())
    assert (finished.path / "space.yaml").read_text() == TINY
    study = yaml.safe_load((finished.path / "study.yaml").read_text())
    assert (study["space"], study["data"], study["trials"]) == ("tiny", "digits", 4)
    data = study["facts"]["data"]  # a record leaves out what would be the same in all of them
    assert {name: data[name] for name in records[0].data} == records[0].data
    assert (data["class_names"], len(data["mean"]), len(data["std"])) == ([str(digit) for digit in range(10)], 1, 1)
    used = records[0].fidelity
    recipe = ("learning_rate", "schedule", "warmup", "decay", "weight_decay", "label_smoothing", "curve_images")
    assert {name: study[name] for name in recipe} == {name: used[name] for name in recipe}
    assert (study["image_size"], study["batch_size"], study["reference"]) == (8, 32, {"accuracy": 0.0})
    assert study["facts"]["data"]["sizes"]["train"] == 64


def test_a_checkpoint_loads_into_the_document_of_its_record_and_gives_its_value(finished):
    best = finished.best
    weights = load_file(finished.path / "checkpoints" / f"{best.number}.safetensors")
    model = ins.compile(best.network, weights=weights).eval()
    validation = load_data("digits", image_size=8, limit=64).validation
    dataset = load_data("digits", image_size=8, limit=64)
    images = (validation.images.float() / 255 - dataset.mean[0]) / dataset.std[0]
    with torch.no_grad():
        right = (model(images).argmax(1) == validation.labels).double().mean().item()
    assert right == pytest.approx(best.value, abs=0.01)
    assert ins.arch_id(best.network) == best.record.arch_id
    assert best.network.input.shape == (1, 8, 8)


def test_a_trained_model_knows_the_names_of_its_classes(finished, tmp_path):
    file = finished.path / "checkpoints" / f"{finished.best.number}.safetensors"
    model = ins.compile(finished.best.network, weights=file)
    assert model.classes == load_data("digits", image_size=8, limit=64).classes
    assert ins.load_model(ins.save_model(model, tmp_path / "model.safetensors")).classes == model.classes


def test_the_curve_ends_in_the_value(finished):
    for record in finished.records:
        if record.state == "duplicate":
            continue
        assert record.curve[-1].validation_accuracy == record.value
        assert len(record.curve) == record.fidelity["epochs"] == 1


def test_a_killed_trial_process_is_started_again(run):
    def kill(number: int) -> None:
        (child,) = [p for p in multiprocessing.active_children() if p.name == f"trial-{number}"]
        assert child.pid
        os.kill(child.pid, signal.SIGKILL)

    watch = Watch(kill)
    study = search(TINY, observer=watch, **SMALL | {"trials": 2, "epochs": 20, "run": run})
    assert sorted(record.attempt for record in study.records) == [1, 2]
    assert [record.state for record in study.records] == ["complete"] * 2
    assert len(watch.notes) == 1
    assert "lost its process (exit code -9); it runs again" in watch.notes[0]


def test_a_trial_that_takes_too_long_is_ended(run):
    study = search(TINY, **SMALL | {"trials": 1, "epochs": 5000, "trial_seconds": 2.0, "run": run})
    (record,) = study.records
    assert (record.state, record.reason) == ("failed", "it ran longer than the limit of 2 s")
    assert record.seconds < 60  # five thousand epochs would take minutes
    assert not multiprocessing.active_children()


def test_a_network_that_diverges_is_failed_with_the_reason(run):
    study = search(TINY, **SMALL | {"trials": 1, "learning_rate": 1e30, "epochs": 3, "run": run})
    (record,) = study.records
    assert record.state == "failed"
    assert "diverged" in record.reason
    with pytest.raises(RunFolderError, match="no trial of the study is complete"):
        _ = study.best


def test_a_search_works_outside_the_main_thread(run):
    done: list[Study] = []
    thread = threading.Thread(target=lambda: done.append(search(TINY, **SMALL | {"trials": 1, "run": run})))
    thread.start()
    thread.join(PATIENCE)
    assert done[0].finished


def test_nothing_of_this_process_is_changed_or_left_open(run):
    search(TINY, **SMALL | {"trials": 1, "run": run})
    fds = Path("/proc/self/fd")
    before = len(list(fds.iterdir())) if fds.exists() else 0
    threads, handler = threading.active_count(), signal.getsignal(signal.SIGINT)
    resume(run, trials=3)
    assert signal.getsignal(signal.SIGINT) is handler
    assert threading.active_count() == threads
    assert not multiprocessing.active_children()
    if before:
        assert len(list(fds.iterdir())) == before


def test_the_default_run_folder_is_new_each_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = search(TINY, **SMALL | {"trials": 1})
    assert first.path.parent == Path("runs")
    assert first.path.name.startswith("tiny-")
    second = search(TINY, **SMALL | {"trials": 1})
    assert second.path != first.path


def test_the_facade_searches_reports_and_resumes(run):
    study = ins.search(ins.load_space(TINY), **SMALL | {"trials": 1, "run": str(run)})
    assert study.best.network.name == "tiny"
    assert study.best.value == study.records[0].value
    assert (run / "report.html").is_file()
    assert len(ins.resume(run, trials=2).records) >= 2
    assert ins.Study.open(run).records == study.records


def test_ten_trials_cost_little_besides_their_training(run):
    search(TINY, **SMALL | {"trials": 1, "run": run})
    with bounded(120, time.monotonic):
        study = resume(run, trials=7)
    assert RunFolder.open(run).records() == study.records
