"""Trials on a Ray cluster of three nodes on this machine: results as on one machine, whatever happens to the nodes."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.kill_watch import trials
from benchmarks.ray_nodes import cluster

pytest.importorskip("ray")

from inception_search.errors import ConfigError, MissingRequirementError, RunFolderError
from inception_search.runner import ray_executor
from inception_search.runner.ray_cluster import RayCluster, connected
from inception_search.runner.ray_executor import RayExecutor
from inception_search.store.record import TrialRecord
from inception_search.study import places
from inception_search.study.config import StudyConfig
from inception_search.study.final.finalize import finalize
from inception_search.study.observer import Observer
from inception_search.study.search import resume, search
from inception_search.study.study import Study
from tests.runner.ray_sockets import LOOPBACK, listening
from tests.study.spaces import TINY

SMALL: dict[str, Any] = {
    "train_images": 64,
    "image_size": 8,
    "baselines": False,
    "epochs": 3,
    "trials": 4,
    "device": "cpu",
    "threads": 1,
    "strategy": "random",
    "pruner": "none",
}


@pytest.fixture(scope="module")
def three() -> Iterator[Any]:
    with cluster("one", "two", "three") as made, connected(made.address):
        yield made


class Watcher(Observer):
    """Collects notes, and calls ``at`` after each epoch."""

    def __init__(self, at: Any = lambda number, epoch: None) -> None:
        super().__init__()
        self.notes: list[str] = []
        self.at = at

    def note(self, text: str) -> None:
        self.notes.append(text)

    def epoch(self, number: int, metrics: dict[str, Any]) -> None:
        self.at(number, int(metrics["epoch"]))


@pytest.fixture
def executors(monkeypatch: pytest.MonkeyPatch) -> list[RayExecutor]:
    """The executors that searches make."""
    made: list[RayExecutor] = []

    def make(*arguments: Any, **options: Any) -> RayExecutor:
        made.append(RayExecutor(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(places, "RayExecutor", make)
    return made


def deeds(record: TrialRecord) -> Any:
    """The facts of a trial that depend neither on the clock nor on the machine."""
    curve = [epoch.model_dump(exclude={"seconds"}) for epoch in record.curve]
    return record.number, record.arch_id, record.holes, record.state, record.value, record.seed, curve


def in_peace(folder: Path, **options: Any) -> list[Any]:
    """The trials of the same search on this machine."""
    return [deeds(record) for record in search(TINY, run=folder, workers=1, **{**SMALL, **options}).records]


def left_over(study: Study) -> list[Path]:
    folders = [study.path / name for name in ("jobs", "results", "workers")]
    return [*(path for folder in folders for path in folder.iterdir()), *study.path.rglob("*.state")]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="looks for sockets in /proc")
def test_a_ray_of_this_machine_listens_on_the_loopback_address_alone(tmp_path):
    with connected(None, threads=2):
        found = listening()
        study = search(TINY, run=tmp_path / "far", executor="ray", **{**SMALL, "trials": 2})
    assert found
    assert found <= LOOPBACK
    assert [deeds(record) for record in study.records] == in_peace(tmp_path / "near", trials=2)
    assert {record.node for record in study.records} == {socket.gethostname()}
    assert left_over(study) == []
    assert study.records[0].to_json() != study.records[0].model_copy(update={"node": None}).to_json()


@pytest.mark.slow
def test_a_search_on_a_cluster_is_that_on_one_machine(three, tmp_path):
    study = search(TINY, run=tmp_path / "far", executor="ray", address=three.address, workers=1, **SMALL)
    assert study.finished
    assert [deeds(record) for record in study.records] == in_peace(tmp_path / "near")
    assert {record.node for record in study.records} <= set(three.named)
    assert left_over(study) == []
    assert all(study.run.checkpoint_file(record.number).is_file() for record in study.records)


@pytest.mark.slow
def test_a_lost_node_costs_the_epoch_under_way_and_a_new_one_is_used(three, tmp_path, executors):
    killed: list[str] = []

    def at(number: int, epoch: int) -> None:
        if number == 0 and epoch == 2 and not killed:
            killed.append(executors[0].crew.running[0].worker.node)
            three.kill(killed[0])
        if number == 3 and "four" not in three.named:
            three.add("four")

    watcher = Watcher(at)
    more = {"trials": 12, "epochs": 4}
    options = {**SMALL, **more, "executor": "ray", "address": three.address}
    study = search(TINY, run=tmp_path / "far", observer=watcher, **options)
    assert [deeds(record) for record in study.records] == in_peace(tmp_path / "near", **more)
    first = study.records[0]
    assert (first.attempt, first.resources["resumed_from"]) == (2, 2.0)
    assert first.node != killed[0]
    assert any(f"node {killed[0]} was lost" in note for note in watcher.notes)
    assert any("node four has joined" in note for note in watcher.notes)
    assert "four" in {record.node for record in study.records}
    assert left_over(study) == []


@pytest.mark.slow
def test_a_killed_trial_process_is_one_lost_process(three, tmp_path, executors):
    def at(number: int, epoch: int) -> None:
        running = executors[0].crew.running[number]
        if running.job.attempt == 1 and number == 1 and epoch == 1:
            facts = executors[0].ray.get(running.worker.actor.facts.remote())
            (victim,) = trials(facts["pid"])
            os.kill(victim, signal.SIGKILL)

    watcher = Watcher(at)
    options = {**SMALL, "executor": "ray", "address": three.address, "workers": 1}
    study = search(TINY, run=tmp_path / "far", observer=watcher, **options)
    assert [deeds(record) for record in study.records] == in_peace(tmp_path / "near")
    assert [record.attempt for record in study.records] == [1, 2, 1, 1]
    assert any("lost its process (exit code -9)" in note for note in watcher.notes)


@pytest.mark.slow
def test_other_versions_are_refused(three, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_executor, "common_versions", lambda: {"torch": "1.0"})
    with pytest.raises(RunFolderError, match="has another version of torch than the search") as refused:
        search(TINY, run=tmp_path / "far", executor="ray", address=three.address, **SMALL)
    assert refused.value.expected == "1.0"
    monkeypatch.undo()
    assert resume(tmp_path / "far", executor="local").finished  # nothing was recorded for the refusal
    assert StudyConfig.read(tmp_path / "far" / "study.yaml").address is None


@pytest.mark.slow
def test_finalize_and_the_report_name_the_nodes(three, tmp_path):
    from inception_search.report.study_report import write_study_report

    study = search(TINY, run=tmp_path / "far", executor="ray", address=three.address, **SMALL)
    write_study_report(study.run)
    page = study.run.path.joinpath("report.html").read_text(encoding="utf-8")
    assert "Nodes of the Ray cluster" in page
    finals = finalize(study.path, top=1, baselines=0, seeds=2, epochs=1, train_images=64)
    assert [len(row.trainings) for row in finals.rows] == [2]
    text = (study.path / "finals.jsonl").read_text(encoding="utf-8")
    assert any(f'"node": "{name}"' in text for name in three.named)


def test_without_ray_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingRequirementError, match=r"pip install ray"), connected(None):
        pass


def test_no_cluster_at_an_address(monkeypatch):
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(ConfigError, match="there is no Ray cluster at this address"), connected("127.0.0.1:1"):
        pass


@pytest.mark.parametrize("address", ["somewhere", "http://host:1", "user:word@host:1", ""])
def test_addresses_that_are_none(address):
    with pytest.raises(ConfigError, match="address"):
        StudyConfig.of(executor="ray", address=address)


def test_an_address_needs_the_executor():
    with pytest.raises(ConfigError, match="no effect unless executor is ray"):
        StudyConfig.of(address="auto")


class FakeRay:
    """As much of Ray as the look at nodes needs."""

    def __init__(self, *nodes: dict[str, float]) -> None:
        self.facts = [
            {
                "Alive": True,
                "NodeID": str(i),
                "NodeManagerAddress": "::1",
                "NodeManagerHostname": "h",
                "Resources": each,
            }
            for i, each in enumerate(nodes)
        ]

    def nodes(self) -> list[dict[str, Any]]:
        return [{**facts, "Alive": True} for facts in self.facts]


@pytest.mark.parametrize(
    ("nodes", "asked", "device"),
    [
        ([{"CPU": 4.0}], "auto", "cpu"),
        ([{"CPU": 4.0}, {"CPU": 1.0, "GPU": 2.0}], "auto", "cuda"),
        ([{"CPU": 4.0, "GPU": 1.0}], "cpu", "cpu"),
        ([{"CPU": 4.0}], "cuda", None),
        ([{"CPU": 4.0, "GPU": 1.0}], "cuda:1", None),
    ],
)
def test_the_device_is_that_of_the_nodes(nodes, asked, device):
    made = RayCluster(FakeRay(*nodes))
    if device:
        assert made.device(asked) == device
    else:
        with pytest.raises(ConfigError, match="device"):
            made.device(asked)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"device": "cpu"}, 7),
        ({"device": "cpu", "threads": 2}, 3),
        ({"device": "cpu", "threads": 8}, 0),
        ({"device": "cpu", "workers": 100}, 100),
        ({"device": "cuda"}, 3),
        ({"device": "cuda", "per_gpu": 3}, 9),
    ],
)
def test_actors_fit_the_nodes(tmp_path, options, wanted):
    from inception_search.runner.gpu_concurrency import Packing
    from inception_search.store.layout import Layout

    packing = Packing(8, float("inf"))
    packing.capacity = options.pop("per_gpu", 1)
    made = RayCluster(FakeRay({"CPU": 4.0, "GPU": 1.0}, {"CPU": 3.0}, {"GPU": 2.0}))
    assert RayExecutor(made, Layout(tmp_path), trial_seconds=1, packing=packing, **options)._wanted() == wanted
