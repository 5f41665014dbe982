"""Going on with a study from every state a stop or a kill can leave."""

from typing import Any

import pytest
from optuna.trial import TrialState

from inception_search.errors import RunFolderError
from inception_search.measures import timing
from inception_search.optuna_bridge.live_study import LiveStudy
from inception_search.runner.executor import Ended, Event
from inception_search.runner.job import Job
from inception_search.store.objectives import OBJECTIVES
from inception_search.store.record import TrialRecord
from tests.study.conftest import FakeStudy
from tests.study.crashes import Crash, check, crash_at
from tests.study.fake_executor import FakeExecutor
from tests.trial_results import write_result


class TestAStopInOrder:
    def test_ends_the_loop_and_is_gone_on_with(self, fake_study, monkeypatch):
        study = fake_study(trials=5)
        with monkeypatch.context() as patch:
            stop_at(patch, study, epochs=4)
            assert not study.go(capacity=2)
        assert len(study.records) < 5
        assert study.go(capacity=2)
        check(study, 5)

    def test_does_not_count_as_a_lost_process(self, fake_study, monkeypatch):
        study = fake_study(trials=2)
        for _ in range(5):
            with monkeypatch.context() as patch:
                stop_at(patch, study, epochs=1)
                assert not study.go()
        assert study.go()
        check(study, 2)
        assert set(study.world.epochs.values()) == {3}, "an epoch was trained twice"

    def test_that_ends_its_trials_too_is_no_fault_of_theirs(self, fake_study, monkeypatch):
        def terminated(executor: FakeExecutor, timeout: float) -> list[Event]:
            study.driver.stop.set()
            return [Ended(number, -15) for number in executor.running]

        study = fake_study(trials=2, retries=1)
        for _ in range(3):
            with monkeypatch.context() as patch:
                patch.setattr(FakeExecutor, "wait", terminated)
                assert not study.go(capacity=2)
        assert study.go()
        check(study, 2)

    @pytest.mark.parametrize("limit", [{}, {"max_latency_ms": 1000}], ids=["no limit", "limit"])
    @pytest.mark.parametrize("name", OBJECTIVES)
    def test_has_every_objective_afterwards(self, fake_study, monkeypatch, tmp_path, name, limit):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.setattr(timing, "time_op", lambda op, inputs, target: 1.0)
        objectives = tuple(dict.fromkeys(("accuracy", name)))
        study = fake_study(trials=4, objectives=objectives, **limit)
        for _ in range(2):
            with monkeypatch.context() as patch:
                stop_at(patch, study, epochs=4)
                assert not study.go(capacity=2)
        assert study.go(capacity=2)
        assert sum(record.state == "complete" for record in study.records) == 4
        assert {tuple(record.objectives) for record in study.records if record.curve} == {objectives}
        timed = {record.latency is not None for record in study.records if record.curve}
        assert timed == {name == "latency" or bool(limit)}

    def test_before_anything_was_asked(self, fake_study):
        study = fake_study(trials=2)
        with study.run.hold():
            driver = study.driver_for()
            driver.stop.set()
            assert not driver.loop()
        assert study.records == []
        assert study.go()


def stop_at(patch: pytest.MonkeyPatch, study: FakeStudy, epochs: int) -> None:
    """Stop the driver after some epochs of its trials."""
    seen = 0

    def epoch(number: int, metrics: dict[str, Any]) -> None:
        nonlocal seen
        seen += 1
        if seen == epochs:
            assert study.driver
            study.driver.stop.set()

    patch.setattr(study.notes, "epoch", epoch)


def killed_in_training(study: FakeStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        crash_at(patch, "report", 1, before=False)
        with pytest.raises(Crash):
            study.go()


class TestAKilledDriver:
    @pytest.mark.parametrize("point", ["ask", "job", "record"])
    def test_measures_the_latency_of_its_trial_again(self, fake_study, monkeypatch, tmp_path, point):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.setattr(timing, "time_op", lambda op, inputs, target: 1.0)
        study = fake_study(trials=2, objectives=("accuracy", "latency"))
        with monkeypatch.context() as patch:
            crash_at(patch, point, 1, before=False)
            with pytest.raises(Crash):
                study.go()
        assert study.go()
        assert [record.objectives["latency"] for record in study.records] == [r.latency for r in study.records]

    def test_its_trial_keeps_number_point_and_label(self, fake_study, monkeypatch):
        study = fake_study(trials=3)
        killed_in_training(study, monkeypatch)
        assert Job.read(study.run.job_file(0)).attempt == 1
        study.go()
        assert (study.records[0].label, study.records[0].attempt) == ("v1_3a", 2)
        assert study.world.begun[:2] == [(0, 1), (0, 2)]

    def test_is_no_fault_of_its_trial_however_often(self, fake_study, monkeypatch):
        study = fake_study(trials=2, epochs=9)
        for _ in range(8):
            killed_in_training(study, monkeypatch)
        study.go()
        check(study, 2)
        assert study.records[0].attempt == 9
        assert set(study.world.epochs.values()) == {9}, "an epoch was trained twice"

    def test_a_result_that_waits_is_recorded_though_no_more_trials_are_wanted(self, fake_study, monkeypatch):
        study = fake_study(trials=3)
        with monkeypatch.context() as patch:
            crash_at(patch, "record", 3, before=True)
            with pytest.raises(Crash):
                study.go()
        study.go(trials=2)
        assert [record.state for record in study.records] == ["complete"] * 3

    def test_a_result_of_another_network_is_not_taken(self, fake_study, monkeypatch):
        study = fake_study(trials=2)
        killed_in_training(study, monkeypatch)
        write_result(study.run, 0, {"state": "complete", "value": 1.0, "arch_id": "a1-somethingelse"})
        study.go()
        check(study, 2)

    @pytest.mark.parametrize("text", ["", "{", "[1]", "null", '"x"', "\x00\xff"])
    def test_a_damaged_result_is_set_aside_and_trained_again(self, fake_study, monkeypatch, text):
        study = fake_study(trials=2)
        killed_in_training(study, monkeypatch)
        study.run.result_file(0).write_text(text, encoding="latin-1")
        study.go()
        assert [record.state for record in study.records] == ["complete"] * 2
        assert [path.name for path in study.run.results_folder.iterdir()] == ["0.json.corrupt"]

    def test_a_damaged_job_is_no_obstacle(self, fake_study, monkeypatch):
        study = fake_study(trials=2)
        killed_in_training(study, monkeypatch)
        study.run.job_file(0).write_text("[]")
        study.go()
        check(study, 2)


def test_more_trials_are_trained_after_the_end(fake_study):
    study = fake_study(trials=3)
    study.go()
    first = [record.to_json() for record in study.records]
    assert study.go(trials=6)
    assert [record.to_json() for record in study.records][: len(first)] == first
    assert [record.number for record in study.notes.begun_with] == [0, 1, 2]
    study.options["trials"] = 6
    check(study, 6)


def test_a_finished_study_has_nothing_to_do(fake_study):
    study = fake_study(trials=3)
    study.go()
    begun = list(study.world.begun)
    assert study.go()
    assert study.world.begun == begun


class TestALostIndex:
    def test_is_made_anew_from_the_records(self, fake_study):
        study = fake_study(trials=8, max_params=2000, epochs=5)
        study.go()
        before = study.index
        study.run.journal_file.write_bytes(b"")
        study.go()
        after = study.index
        assert [(t.number, t.state, t.value, t.params, t.intermediate_values) for t in before] == [
            (t.number, t.state, t.value, t.params, t.intermediate_values) for t in after
        ]
        trained = [t.number for t in before if t.value is not None]
        assert [before[number].user_attrs for number in trained] == [after[number].user_attrs for number in trained]
        assert study.go(trials=10)
        check(study, 10, strict=False)

    def test_in_part_is_completed(self, fake_study):
        study = fake_study(trials=6)
        study.go()
        lines = study.run.journal_file.read_bytes().splitlines(keepends=True)
        study.run.journal_file.write_bytes(b"".join(lines[: len(lines) // 2]))
        assert study.go(trials=8)
        check(study, 8, strict=False)

    def test_that_is_no_index_is_an_error_that_says_what_to_do(self, fake_study):
        study = fake_study(trials=2)
        study.go()
        with study.run.journal_file.open("a") as file:
            file.write('{"op_code": 99}\n')
        with pytest.raises(RunFolderError, match=r"cannot be read.*empty journal\.log and resume"):
            study.go()


def test_a_gap_in_the_records_becomes_a_failed_trial_of_the_index(fake_study):
    study = fake_study(trials=2, baselines=False)
    study.go()
    record = study.records[0]
    far = TrialRecord.model_validate({**record.model_dump(by_alias=True), "number": 5, "arch_id": "a1-other"})
    study.run.append_record(far)
    index = study.index
    assert [trial.state for trial in index[2:]] == [TrialState.FAIL] * 3 + [TrialState.COMPLETE]


def test_a_budget_that_nothing_meets_ends_the_search_again_on_going_on(fake_study):
    study = fake_study(trials=4, max_params=1)
    assert study.go()
    assert study.go()
    assert {record.state for record in study.records} == {"infeasible"}
    assert [text.partition(":")[0] for text in study.notes.notes] == [
        "no canonical module can be trained within the budget",
        *["no further new and feasible point was found"] * 2,
    ]


def test_optunas_own_words_stay_out_of_the_terminal(fake_study, capfd):
    study = fake_study(trials=2)
    study.go()
    LiveStudy(study.run, study.space)
    assert capfd.readouterr() == ("", "")
