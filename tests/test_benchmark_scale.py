"""The simulated cluster of benchmarks/scale.py: a small study passes through it completely."""

from __future__ import annotations

import os

import pytest

from benchmarks.scale import measured, reopened
from benchmarks.simulated_cluster import SimulatedCluster, recorded_curves
from inception_search.store.run_folder import RunFolder


@pytest.mark.parametrize("strategy", ["random", "evolution", "tpe"])
def test_a_study_on_a_simulated_cluster_is_recorded_completely(tmp_path, monkeypatch, strategy):
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    found = measured(tmp_path / "run", trials=60, workers=20, strategy=strategy, space="inception_modules", window=20)
    records = RunFolder.open(tmp_path / "run").records()
    trained = [record for record in records if record.state in ("complete", "pruned")]
    assert len({record.arch_id for record in trained}) == len(trained) == 60
    assert found["states"]["complete"] + found["states"].get("pruned", 0) == 60
    assert found["files_left"] == 0
    assert found["milestones"][-1]["trials"] == 60
    assert 0.0 < found["busy_share"] <= 1.0


def test_a_simulated_study_is_reopened_and_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    study = {"trials": 30, "strategy": "random", "space": "inception_modules"}
    measured(tmp_path / "run", workers=10, **study)
    assert set(reopened(RunFolder.open(tmp_path / "run"), **study)) == {"load", "resume", "report"}
    assert (tmp_path / "run" / "report.html").exists()


def test_workers_are_idle_while_the_driver_computes(tmp_path):
    """The virtual clock moves on by the driver's seconds, and jumps to the next event only if the driver waits."""
    times = iter([0.0, 5.0, 5.0, 7.0, 7.0, 9.0, 9.0])
    cluster = SimulatedCluster(1, 60.0, recorded_curves(), clock=lambda: next(times), processor_clock=lambda: 0.0)
    assert cluster.wait(0.0) == []
    assert cluster.now == cluster.driver_seconds == 5.0
    assert cluster.wait(1.0) == []
    assert cluster.driver_seconds == 7.0
    assert cluster.worked == 0.0
