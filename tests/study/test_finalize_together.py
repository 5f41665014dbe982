"""The seeds of a network as one job of ``finalize``."""

import json
import multiprocessing
import os
import shutil
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from inception_search.runner.executor import Ended, Event
from inception_search.runner.job import Job
from inception_search.spec.document import network_from_data
from inception_search.store.atomic import write_atomic
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig
from inception_search.study.final.finalize import finalize
from inception_search.study.final.folder import FinalsFolder
from inception_search.study.final.loop import FinalsLoop, How, Training
from inception_search.study.final.options import FinalOptions, recipe_of
from inception_search.study.final.record import read_finals
from inception_search.study.final.selection import make_setting
from inception_search.study.search import search
from inception_search.study.trial import Trial, make_candidate
from tests.study.finals_watch import Watch
from tests.study.spaces import TINY

STUDY: dict[str, Any] = {"epochs": 1, "train_images": 64, "image_size": 8, "workers": 2, "trials": 3, "seed": 7}
SMALL: dict[str, Any] = {"train_images": 64, "image_size": 8, "top": 1, "baselines": 1, "workers": 2, "epochs": 2}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return search(TINY, run=tmp_path_factory.mktemp("study") / "run", **STUDY).path


@pytest.fixture
def run(searched: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(searched, tmp_path / "run"))


def found(run: Path) -> dict[tuple[int, int], Any]:
    """The final records by trial and seed."""
    return {(record.trial, record.seed): record for record in read_finals(run / "finals.jsonl")}


def test_together_is_what_apart_is(run, tmp_path):
    other = Path(shutil.copytree(run, tmp_path / "other"))
    watch = Watch()
    assert finalize(run, observer=watch, together=True, seeds=2, **SMALL).finished
    finalize(other, seeds=2, **SMALL)
    together, apart = found(run), found(other)
    assert together.keys() == apart.keys()
    assert len(together) == 4
    for key, record in apart.items():
        assert (together[key].state, together[key].recipe) == ("complete", record.recipe)
        assert together[key].test_accuracy == pytest.approx(record.test_accuracy, abs=0.02)
        assert together[key].validation_accuracy == pytest.approx(record.validation_accuracy, abs=0.02)
    assert {name.partition(" seeds ")[2] for name, _ in watch.epochs} == {"1007, 1008"}
    assert len(list((run / "finals" / "checkpoints").glob("*.safetensors"))) == 4
    assert not list((run / "finals").rglob("*.state"))
    assert not list((run / "finals" / "jobs").iterdir())


def test_on_a_cpu_they_are_apart_unless_told_otherwise_and_what_is_there_is_not_trained_again(run):
    first, watch = Watch(), Watch()
    finalize(run, observer=first, seeds=1, **SMALL)
    assert {name.partition(" seed")[2] for name, _ in first.epochs} == {" 1007"}
    finalize(run, observer=watch, together=True, seeds=3, **SMALL)
    assert {name.partition(" seeds ")[2] for name, _ in watch.epochs} == {"1008, 1009"}
    assert len(found(run)) == 6


def test_a_kill_loses_an_epoch_at_most(run):
    def kill(name: str, epoch: int) -> None:
        if len(watch.epochs) == 1:
            for child in multiprocessing.active_children():
                assert child.pid
                os.kill(child.pid, signal.SIGKILL)

    watch = Watch(kill)
    assert finalize(run, observer=watch, together=True, seeds=2, **SMALL | {"workers": 1}).finished
    assert [note for note in watch.notes if "seeds 1007, 1008 lost its process" in note]
    assert len(watch.epochs) == len(set(watch.epochs)) == 4  # none of them twice
    killed = found(run)
    assert sorted(record.attempt for record in killed.values()) == [1, 1, 2, 2]


def test_one_that_diverges_does_not_take_the_others_along(run):
    study = yaml.safe_load((run / "study.yaml").read_text()) | {"learning_rate": 1e30}
    (run / "study.yaml").write_text(yaml.safe_dump(study))
    watch = Watch()
    finals = finalize(run, observer=watch, together=True, seeds=2, **SMALL)
    assert {record.state for record in found(run).values()} == {"failed"}
    assert len([note for note in watch.notes if "trained one at a time (diverged" in note]) == 2
    assert "could not be trained" in finals.sentences[0]


class ShortOfMemory:
    """A place where jobs of more than two seeds run out of memory, and others are lost or come to their end."""

    capacity = 1

    def __init__(self, root: Path, lost: int = 0) -> None:
        self.root, self.lost = root, lost
        self.sizes: list[int] = []
        self.ended: list[Event] = []

    def submit(self, number: int, job_file: Path) -> None:
        trainings = Job.read(job_file).trainings
        self.sizes.append(len(trainings))
        self.ended.append(Ended(number, 0))
        if len(trainings) > 2:
            self.answer_with(trainings[0], {"state": "apart", "reason": "out of memory while training"})
        elif len(trainings) == 2 and self.lost:
            self.lost -= 1
        else:
            for one in trainings:
                tested = {"test_accuracy": 0.5, "test_loss": 1.0, "test_images": 8, "test_right": "0f"}
                self.answer_with(one, {"state": "complete", "value": 0.5, **tested})

    def answer_with(self, job: Job, payload: dict[str, Any]) -> None:
        write_atomic(self.root / job.result, json.dumps(payload | job.stamp))

    def wait(self, timeout: float) -> list[Event]:
        ended, self.ended = self.ended, []
        return ended

    def answer(self, number: int, word: str) -> None:
        raise AssertionError("nothing reports an epoch")

    def cancel(self) -> None:
        """Nothing runs."""


@pytest.mark.parametrize(
    ("lost", "sizes"),
    [
        (0, [5, 2, 2, 1]),
        (1, [5, 2, 2, 2, 1]),  # taken up again as it was
        (3, [5, 2, 2, 2, 1, 1, 2, 1]),  # given up as a bundle, after the study's three tries
    ],
)
def test_where_memory_is_short_there_are_fewer_at_a_time(run, lost, sizes):
    config = StudyConfig.read(run / "study.yaml")
    options = FinalOptions.of(seeds=5, top=1, baselines=1)
    folder = FinalsFolder(RunFolder.open(run))
    folder.prepare()
    setting = make_setting(folder.run, config, options, recipe_of(config, options))
    entrant = setting.entrants[0]
    trial = Trial.of(0, make_candidate(network_from_data(entrant.record.network), {}, (1, 8, 8), 10))
    place, watch = ShortOfMemory(folder.root, lost), Watch()
    how = How({}, "cpu", {"name": "digits"}, config.retries, together=True)
    loop = FinalsLoop(folder, setting, how, place, watch, threading.Event())
    assert loop.train([Training(entrant, trial, seed, setting.recipe_id) for seed in range(5)])
    assert place.sizes == sizes
    assert [record.state for record in found(run).values()] == ["complete"] * 5
    assert "seeds 0, 1, 2, 3, 4: trained 2 at a time (out of memory while training)" in watch.notes[0]
