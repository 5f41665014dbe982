"""Trials that pause and go on from their checkpoints, several objectives, repeats: over the fake executor."""

from collections import Counter

import pytest
from optuna.trial import TrialState

from inception_search.store.query import leaderboard
from inception_search.store.record import TrialRecord
from inception_search.study.attend import is_done
from tests.study.crashes import Crash, crash_after_steps, crash_at
from tests.study.fake_executor import accuracy

ASHA = {"pruner": "asha", "epochs": 9, "eta": 3, "trials": 18, "baselines": False}


def whole(study, trials):
    """A finished study with pauses: every number ended once, nothing trained twice, nothing left over."""
    records = study.run.records()
    assert [record.number for record in records] == list(range(trials))
    assert {record.state for record in records} <= {"complete", "pruned"}
    assert len({record.arch_id for record in records}) == trials
    assert set(study.world.epochs.values()) <= set(range(1, 10))
    for record in records:
        assert study.world.epochs[record.arch_id, record.seed] == record.curve[-1].epoch
        assert [epoch.epoch for epoch in record.curve] == list(range(1, record.curve[-1].epoch + 1))
    final = [TrialState.COMPLETE if r.state == "complete" else TrialState.PRUNED for r in records]
    assert [trial.state for trial in study.index] == final
    for folder in (study.run.jobs_folder, study.run.results_folder):
        assert not list(folder.iterdir())
    assert not list(study.run.checkpoints_folder.glob("*.state"))
    return records


@pytest.mark.parametrize("capacity", [1, 3])
@pytest.mark.parametrize("pruner", ["asha", "halving", "hyperband"])
def test_few_are_trained_to_the_end_and_none_twice(fake_study, pruner, capacity):
    study = fake_study(**{**ASHA, "pruner": pruner})
    assert study.go(capacity=capacity)
    records = whole(study, 18)
    ends = {record.curve[-1].epoch for record in records}
    assert ends <= {1, 3, 9}
    assert 1 in ends
    assert "complete" in {record.state for record in records}
    assert sum(study.world.epochs.values()) < 18 * 9 * 0.7
    best = max(records, key=lambda record: record.curve[0].validation_accuracy)
    assert best.state == "complete"


@pytest.mark.parametrize("trials", [4, 8, 14])
def test_a_front_has_the_documented_number_of_trials_to_choose_from(fake_study, trials):
    study = fake_study(**{**ASHA, "trials": trials, "objectives": "accuracy,macs"})
    assert study.go(capacity=2)
    records = whole(study, trials)
    complete = [record for record in records if record.state == "complete"]
    assert len(complete) >= -(-trials // 9)
    assert all(record.reason.endswith("when the study ended") for record in records if record.state == "pruned")


def test_baselines_are_trained_to_the_end(fake_study):
    study = fake_study(**{**ASHA, "baselines": True})
    study.go()
    assert {record.state for record in whole(study, 18) if record.origin == "baseline"} == {"complete"}


@pytest.mark.parametrize("pruner", ["asha", "halving", "hyperband"])
@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))])
def test_kills_lose_no_epoch(fake_study, monkeypatch, seed, pruner):
    import random

    rng = random.Random(seed)
    study = fake_study(**{**ASHA, "pruner": pruner, "seed": seed})
    for _ in range(200):
        with monkeypatch.context() as patch:
            crash_after_steps(patch, rng.randint(1, 120))
            try:
                if study.go(capacity=2, rng=rng):
                    break
            except Crash:
                continue
    else:
        assert study.go()
    whole(study, 18)


def test_a_paused_trial_is_on_disk_as_such_and_goes_on_in_the_next_session(fake_study, monkeypatch):
    study = fake_study(**{**ASHA, "trials": 4})
    with monkeypatch.context() as patch:
        crash_at(patch, "record", 3, before=True)
        with pytest.raises(Crash):
            study.go()
    paused = [record for record in study.run.records() if record.state == "paused"]
    assert paused
    assert {record.reason for record in paused} == {"not among the best (yet) at epoch 1"}
    assert TrialRecord.from_json(paused[0].to_json()) == paused[0]
    assert study.go()
    whole(study, 4)


def test_several_objectives_are_told_and_pruned(fake_study):
    study = fake_study(trials=40, epochs=6, objectives="accuracy,macs", strategy="nsga2")
    assert study.go(capacity=2)
    records = study.records
    pruned = [record for record in records if record.state == "pruned"]
    assert pruned
    for record in pruned:  # who prunes it cost no more, and more than half of them were better
        epoch = record.curve[-1].epoch
        peers = [r for r in records if r.cost["macs"] <= record.cost["macs"] and len(r.curve) >= epoch and r != record]
        assert len(peers) >= 8
    for record, trial in zip(records, study.index, strict=True):
        if record.state == "complete":
            assert record.objectives == {"accuracy": record.value, "macs": float(record.cost["macs"])}
            assert trial.values == [record.value, float(record.cost["macs"])]
        assert trial.intermediate_values
    assert study.driver_of_nothing().live.study.metric_names == ["accuracy", "macs"]


def test_repeats_train_the_same_architecture_with_new_seeds_and_nothing_else_twice(fake_study, monkeypatch):
    study = fake_study(trials=5, repeats=3, seed=7)
    with monkeypatch.context() as patch:
        crash_at(patch, "record", 4, before=False)
        with pytest.raises(Crash):
            study.go()
    assert study.go(capacity=2)
    records = study.records
    first = [record for record in records if record.repeat_of is None]
    assert len(first) == 5
    for record in first:
        again = [other for other in records if other.repeat_of == record.number]
        assert sorted(other.seed for other in again) == [8, 9]
        assert {other.arch_id for other in again} == {record.arch_id}
        assert {other.value for other in again} == {accuracy(record.arch_id, 3)}
    assert set(study.world.finished.values()) == {1}
    assert len(records) == 15


def test_repeats_of_the_best_come_last_and_go_on_until_the_best_by_the_mean_have_them(fake_study, monkeypatch):
    study = fake_study(trials=20, repeats=3, repeat_top=2, seed=7)
    study.world.fate = lambda job: "complete" if job.seed == 7 else "unlucky"
    with monkeypatch.context() as patch:
        crash_at(patch, "record", 22, before=False)  # among the repeats
        with pytest.raises(Crash):
            study.go()
    assert study.go(capacity=2)
    again = [record.repeat_of for record in study.records if record.repeat_of is not None]
    assert [record.repeat_of is None for record in study.records[:20]] == [True] * 20
    assert {Counter(again)[record.number] for record in leaderboard(study.records, 2)} == {2}
    assert 2 < len(set(again)) < 20  # their means fall behind those of others, which then have their turn
    assert 1 in Counter(again).values()  # what falls behind is not trained a third time
    assert set(study.world.finished.values()) == {1}


def test_a_study_that_repeats_its_best_is_done_when_they_all_are(fake_study):
    study = fake_study(trials=6, repeats=3, repeat_top=2, seed=7)
    config = study.driver_for().context.config
    assert study.driver.loop()
    assert is_done(study.run, config)
    assert not is_done(study.run, config.model_copy(update={"repeat_top": 3}))
    assert not is_done(study.run, config.model_copy(update={"repeats": 4}))
    assert not is_done(study.run, config.model_copy(update={"trials": 7}))
