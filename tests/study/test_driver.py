"""The loop over a fake executor: what is asked, trained, recorded and told."""

import pytest
from optuna import create_study
from optuna.trial import TrialState

from inception_search.lowering import lower
from inception_search.measures import timing
from inception_search.measures.measure import measure, measures
from inception_search.spec.transform import set_input
from inception_search.store.record import TrialRecord
from inception_search.study import driver as driver_module
from inception_search.study.candidate import make_candidate
from inception_search.study.rescue import RESCUE_AFTER
from inception_search.study.samplers import make_sampler
from tests.study.fake_executor import accuracy
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
    assert record.fidelity == {"epochs": 3}
    assert record.reason is None
    assert record.cost == record.measures == measures(study.space.decode(record.holes), UNTRAINED)
    assert {"python", "torch", "optuna", "inception-search"} <= set(record.versions)
    assert study.space.decode(record.holes).head == study.space.fixed_points["v1_3a"].head


def test_the_index_is_told_what_is_recorded(fake_study):
    study = fake_study(trials=5)
    study.go()
    for record, trial in zip(study.records, study.index, strict=True):
        assert (trial.number, trial.state) == (record.number, TrialState.COMPLETE)
        assert trial.value == (accuracy(record.arch_id, 3) if record.state == "duplicate" else record.value)
        assert trial.params == record.holes


def test_a_duplicate_is_told_the_first_value_and_not_trained(fake_study):
    study = fake_study(THREE_POINTS, trials=3)
    assert study.go()
    again = [record for record in study.records if record.state == "duplicate"]
    assert again, "the seed gives no duplicate: take another"
    first = {record.number: record for record in study.records}
    for record in again:
        assert record.arch_id == first[record.duplicate_of].arch_id
        assert study.index[record.number].value == first[record.duplicate_of].value
    assert set(study.world.finished.values()) == {1}


def test_a_space_that_is_used_up_ends_the_search_with_one_note(fake_study, monkeypatch):
    monkeypatch.setattr(driver_module, "MAX_MISSES", 12)
    study = fake_study(THREE_POINTS, trials=10)
    assert study.go(capacity=2)
    states = [record.state for record in study.records]
    assert (states.count("complete"), states.count("duplicate")) == (3, len(states) - 3)
    assert len([note for note in study.notes.notes if "12 points in a row" in note]) == 1


def test_over_the_budget_is_recorded_with_its_reason_and_never_trained(fake_study):
    probe = fake_study(trials=1)
    holes = probe.space.encode(probe.space.fixed_points["v1_3a"])
    small = make_candidate(probe.space.decode(holes), holes, (1, 8, 8), 10).cost
    limit = small.params + 200
    study = probe
    study.options.update(trials=4, max_params=limit)
    assert study.go()
    over = [record for record in study.records if record.state == "infeasible"]
    assert over
    for record in over:
        assert f"over the budget of {limit:,}" in record.reason
        assert record.cost["params"] > limit
        assert record.arch_id not in study.world.finished
        trial = study.index[record.number]
        assert trial.state == TrialState.PRUNED
        assert trial.constraints["feasible"] == pytest.approx(record.cost["params"] / limit - 1)
    assert all(record.cost["params"] <= limit for record in study.records if record.state == "complete")


def test_a_latency_limit_is_asked_of_what_is_left_and_recorded(fake_study, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(timing, "time_op", lambda op, inputs, target: 1.0)  # so many ops, so many milliseconds
    study = fake_study(trials=4, max_params=2000, max_latency_ms=1000)
    assert study.go()
    by_state = {state: [r for r in study.records if r.state == state] for state in ("complete", "infeasible")}
    assert {record.latency for record in by_state["infeasible"]} == {None}  # too many parameters
    ops = [len(lower(study.space.decode(record.holes)).nodes) - 1 for record in by_state["complete"]]
    assert [record.measures["latency"] for record in by_state["complete"]] == ops
    records = [TrialRecord.from_json(record.to_json()) for record in study.records]
    assert records == study.records


def test_a_search_that_finds_nothing_within_the_budget_is_given_points_that_are(fake_study):
    study = fake_study(trials=3, max_params=1150, baselines=False)
    study.options["seed"] = next(seed for seed in range(99) if not affordable_at_first(study.space, seed, 1150))
    assert study.go()
    trained = [record for record in study.records if record.state == "complete"]
    assert len(trained) == 3
    assert trained[0].number >= RESCUE_AFTER
    assert all(record.cost["params"] <= 1150 for record in trained)


def affordable_at_first(space, seed, limit):
    """Whether the random sampler draws a point within the limit before points are repaired for it."""
    study = create_study(sampler=make_sampler("random", seed=seed, startup=10))
    points = [space.suggest(study.ask())[0] for _ in range(RESCUE_AFTER)]
    return any(measure(set_input(network, height=8, width=8), "params") <= limit for network in points)


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
    study = fake_study(trials=16, sampler="tpe")
    assert study.go(capacity=2)
    assert sum(record.state in ("complete", "pruned") for record in study.records) == 16


def test_nothing_is_left_over(fake_study):
    study = fake_study(trials=5)
    study.go(capacity=2)
    assert not list(study.run.jobs_folder.iterdir())
    assert not list(study.run.results_folder.iterdir())
