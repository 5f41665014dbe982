"""The loop over a fake executor: what is asked, trained, recorded and told."""

import pytest
from optuna.trial import TrialState

from inception_search.lowering import lower
from inception_search.measures import timing
from inception_search.measures.measure import measure, measures
from inception_search.spec.transform import set_input
from inception_search.store.record import TrialRecord
from tests.study.fake_executor import TRAINED_WITH, accuracy
from tests.study.spaces import THREE_POINTS

UNTRAINED = ("params", "macs", "activation_bytes", "depth", "receptive_field")


def test_baselines_come_first_and_the_wanted_number_is_trained(fake_study):
    study = fake_study(trials=6)
    assert study.go()
    records = study.records
    assert [record.label for record in records[:3]] == ["v1_3a", "v1_4a", None]
    assert [record.origin for record in records[:3]] == ["baseline", "baseline", "sampled"]
    assert sum(record.state == "complete" for record in records) == 6
    assert len(study.world.finished) == 6
    assert study.notes.launches[0] == (0, "v1_3a")


@pytest.mark.parametrize("capacity", [1, 2, 5])
def test_never_more_than_the_wanted_number_with_any_capacity(fake_study, capacity):
    study = fake_study(trials=7)
    assert study.go(capacity=capacity)
    assert sum(study.world.finished.values()) == 7
    assert study.driver.executor.cancelled


def test_no_baselines_where_none_are_wanted(fake_study):
    study = fake_study(trials=3, baselines=False)
    study.go()
    assert {record.origin for record in study.records} == {"sampled"}


def test_a_record_says_all_of_its_trial(fake_study):
    study = fake_study(trials=1, seed=5)
    study.go()
    (record,) = study.records
    assert record.value == accuracy(record.arch_id, 3)
    assert [epoch.epoch for epoch in record.curve] == [1, 2, 3]
    assert (record.seed, record.attempt, record.device, record.seconds) == (5, 1, "a fake", 1.5)
    assert record.fidelity["epochs"] == 3
    assert record.reason is None
    assert record.cost == record.measures == measures(study.space.decode(record.holes), UNTRAINED)
    assert {"python", "torch", "optuna", "inception-search"} <= set(record.versions)
    assert study.space.decode(record.holes).head == study.space.fixed_points["v1_3a"].head


def test_the_index_is_told_what_is_recorded(fake_study):
    study = fake_study(trials=5)
    study.go()
    for record, trial in zip(study.records, study.index, strict=True):
        assert (trial.number, trial.state) == (record.number, TrialState.COMPLETE)
        assert trial.value == record.value
        assert trial.params == record.holes


def test_no_architecture_is_trained_twice_and_a_space_that_is_used_up_ends_the_search(fake_study):
    study = fake_study(THREE_POINTS, trials=10)
    assert study.go(capacity=2)
    assert [record.state for record in study.records] == ["complete"] * 3
    assert set(study.world.finished.values()) == {1}
    assert [note for note in study.notes.notes if "no further new" in note]


def test_over_the_budget_is_never_trained_and_recorded_where_it_was_asked_for_by_name(fake_study):
    probe = fake_study(trials=1)
    sizes = {label: measure(set_input(net, height=8, width=8), "params") for label, net in fixed_points(probe)}
    study = probe
    limit = min(sizes.values())
    study.options.update(trials=4, max_params=limit)
    assert study.go()
    (over,) = [record for record in study.records if record.state == "infeasible"]
    assert over.label == max(sizes, key=sizes.get)
    assert f"over the budget of {limit:,}" in over.reason
    assert study.index[over.number].state == TrialState.PRUNED
    assert study.index[over.number].constraints["feasible"] > 0
    trained = [record for record in study.records if record.state == "complete"]
    assert len(trained) == 4
    assert all(record.cost["params"] <= limit for record in trained)


def fixed_points(study):
    return study.space.fixed_points.items()


def test_a_latency_limit_is_asked_of_what_is_left_and_recorded(fake_study, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(timing, "time_op", lambda op, inputs, target: 1.0)  # so many ops, so many milliseconds
    study = fake_study(trials=4, max_params=2000, max_latency_ms=1000)
    assert study.go()
    by_state = {state: [r for r in study.records if r.state == state] for state in ("complete", "infeasible")}
    ops = [len(lower(study.space.decode(record.holes)).nodes) - 1 for record in by_state["complete"]]
    assert [record.measures["latency"] for record in by_state["complete"]] == ops
    records = [TrialRecord.from_json(record.to_json()) for record in study.records]
    assert records == study.records


def test_a_search_whose_strategy_finds_nothing_within_the_budget_is_given_points_that_are(fake_study):
    study = fake_study(trials=3, max_params=1150, baselines=False)
    assert study.go()
    trained = [record for record in study.records if record.state == "complete"]
    assert len(trained) == 3
    assert all(record.cost["params"] <= 1150 for record in trained)


def test_trials_below_the_median_are_pruned_but_no_baseline(fake_study):
    study = fake_study(trials=40, epochs=6)
    assert study.go(capacity=3)
    pruned = [record for record in study.records if record.state == "pruned"]
    assert pruned
    for record in pruned:
        at = record.curve[-1].epoch
        assert record.origin == "sampled"
        assert record.value is None
        assert 2 <= at < 6
        assert record.reason == f"below the median of earlier trials at epoch {at}"
        assert study.world.stopped_at[record.number] == at
        trial = study.index[record.number]
        assert (trial.state, trial.value) == (TrialState.PRUNED, record.curve[-1].validation_accuracy)


def test_a_training_that_is_done_is_not_pruned(fake_study):
    study = fake_study(trials=20, epochs=1)
    study.go()
    assert {record.state for record in study.records} <= {"complete", "duplicate"}
    assert {record.reason for record in study.records} == {None}


def test_no_pruning_where_none_is_wanted(fake_study):
    study = fake_study(trials=20, epochs=6, pruner="none")
    study.go()
    assert not study.world.stopped_at


def test_tpe_searches_too(fake_study):
    study = fake_study(trials=16, strategy="tpe")
    assert study.go(capacity=2)
    assert sum(record.state in ("complete", "pruned") for record in study.records) == 16


def test_nothing_is_left_over(fake_study):
    study = fake_study(trials=5)
    study.go(capacity=2)
    assert not list(study.run.jobs_folder.iterdir())
    assert not list(study.run.results_folder.iterdir())


def test_a_record_has_the_versions_of_the_process_that_trained_it(fake_study):
    study = fake_study(trials=2)
    assert study.go()
    assert [record.versions for record in study.records if record.state == "complete"] == [TRAINED_WITH] * 2
