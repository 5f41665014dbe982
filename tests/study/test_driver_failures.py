"""Trials that are lost, late, wrong or without a disk."""

import math

import pytest
from optuna.trial import TrialState

from inception_search.errors import RunFolderError


def test_a_lost_process_runs_again_from_its_last_epoch_and_then_counts(fake_study):
    study = fake_study(fate=lambda job: "dies" if job.attempt < 2 else "complete", trials=2)
    assert study.go()
    assert [record.attempt for record in study.records] == [2, 2]
    assert study.world.begun == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert set(study.world.epochs.values()) == {3}, "an epoch was trained twice"
    assert sum("lost its process" in note for note in study.notes.notes) == 2


@pytest.mark.parametrize("retries", [1, 3])
def test_a_process_that_is_always_lost_is_given_up(fake_study, retries):
    study = fake_study(fate=lambda job: "dies_at_once" if job.number == 0 else "complete", trials=3, retries=retries)
    assert study.go()
    record = study.records[0]
    assert record.state == "failed"
    assert record.reason == f"its process was lost {retries} times in a row, last with exit code -9"
    assert record.attempt == retries
    assert study.index[0].state == TrialState.FAIL
    assert study.world.begun.count((0, 1)) == 1


def test_a_process_lost_after_its_result_needs_no_other(fake_study):
    study = fake_study(fate=lambda job: "dies_after_result", trials=2)
    study.go()
    assert [record.state for record in study.records] == ["complete", "complete"]
    assert study.world.begun == [(0, 1), (1, 1)]


def test_a_late_trial_goes_on_once_from_where_it_was_and_then_is_failed(fake_study):
    study = fake_study(fate=lambda job: "hangs" if job.number == 1 else "complete", trials=3, trial_seconds=60.0)
    study.go()
    assert study.records[1].reason == "it ran longer than the limit of 60 s"
    assert study.world.begun == [(0, 1), (1, 1), (1, 2), (2, 1)]
    assert "trial 1 ran out of time; it runs again" in study.notes.notes


def test_a_trial_whose_process_was_lost_before_may_be_late_once_too(fake_study):
    fates = {1: "dies", 2: "hangs"}
    study = fake_study(fate=lambda job: fates.get(job.attempt, "complete"), trials=1, trial_seconds=60.0)
    study.go()
    assert [(record.state, record.attempt) for record in study.records] == [("complete", 3)]


def test_a_failure_is_recorded_in_one_line_and_not_tried_again(fake_study):
    study = fake_study(fate=lambda job: "fails" if job.number == 0 else "complete", trials=2)
    study.go()
    assert study.records[0].state == "failed"
    assert study.records[0].reason == "RuntimeError: it broke in two lines"
    assert [epoch.epoch for epoch in study.records[0].curve] == [1, 2, 3]
    assert study.world.begun == [(0, 1), (1, 1)]
    assert study.index[0].state == TrialState.FAIL


@pytest.mark.parametrize("fate", ["nan", "inf", "text", "none"])
def test_what_is_no_finite_number_is_never_told(fake_study, fate):
    study = fake_study(fate=lambda job: fate if job.number == 0 else "complete", trials=2)
    study.go()
    assert study.records[0].state == "failed"
    assert "its result cannot be used" in study.records[0].reason
    assert study.index[0].state == TrialState.FAIL
    assert all(trial.value is None or math.isfinite(trial.value) for trial in study.index)


def test_a_full_disk_ends_the_search_and_costs_no_trial(fake_study):
    study = fake_study(fate=lambda job: "disk" if job.number == 2 else "complete", trials=4)
    with pytest.raises(RunFolderError, match="trial 2 could not read its data or write its result"):
        study.go()
    assert study.driver.executor.cancelled
    study.world.fate = lambda job: "complete"
    assert study.go()
    assert [record.state for record in study.records] == ["complete"] * 4
