"""``open_run(...).optuna``: every trial of a run folder in a study of Optuna's, on which Optuna's own tools work."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import matplotlib as mpl
import optuna
import pytest
from optuna.trial import TrialState

import inception_search as ins
from tests.example import EXAMPLE, copy_example


@pytest.fixture(scope="module")
def study() -> ins.Study:
    return ins.open_run(EXAMPLE)


@pytest.fixture(scope="module")
def copy(study: ins.Study) -> optuna.Study:
    return study.optuna


STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "infeasible": TrialState.PRUNED}


def test_every_record_is_a_trial(study: ins.Study, copy: optuna.Study) -> None:
    assert isinstance(copy, optuna.Study)
    assert [trial.number for trial in copy.trials] == [record.number for record in study.records]
    for trial, record in zip(copy.trials, study.records, strict=True):
        assert trial.params == record.holes
        assert trial.state == STATES[record.state]
        assert trial.intermediate_values == {each.epoch: each.validation_accuracy for each in record.curve}
        assert trial.user_attrs["state"] == record.state
        assert trial.user_attrs["arch_id"] == record.arch_id
        assert trial.user_attrs.get("macs") == record.cost.get("macs")
        assert trial.user_attrs.get("label") == record.label
        lasted = trial.duration.total_seconds() if trial.duration else None
        assert lasted == pytest.approx(record.seconds, abs=1e-5)
        if record.state == "complete":
            assert dict(zip(copy.metric_names or (), trial.values, strict=True)) == record.objectives


def test_its_front_is_the_front_of_the_study(study: ins.Study, copy: optuna.Study) -> None:
    assert {trial.number for trial in copy.best_trials} == {best.number for best in study.front}


def test_optuna_tells_which_decisions_matter(tmp_path: Path) -> None:
    """Of one objective, so that nothing but the study has to be given."""
    run = copy_example(tmp_path / "run")
    text = (run / "study.yaml").read_text(encoding="utf-8")
    (run / "study.yaml").write_text(text.replace("objectives:\n- accuracy\n- macs\n", "objectives:\n- accuracy\n"))
    copy = ins.open_run(run).optuna
    assert copy.best_trial.value == max(record.value or 0.0 for record in ins.open_run(run).records)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some decisions were made in a few trials alone
        found = optuna.importance.get_param_importances(copy)
    assert set(found) <= {name for trial in copy.trials for name in trial.params}
    assert sum(found.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("plot", ["optimization_history", "slice", "intermediate_values", "pareto_front", "timeline"])
def test_optuna_draws_it(plot: str, copy: optuna.Study) -> None:
    mpl.use("agg")
    from optuna.visualization import matplotlib as plots

    target = {"target": lambda trial: trial.values[0]} if plot in ("optimization_history", "slice") else {}
    with warnings.catch_warnings(), mpl.rc_context():  # Optuna sets a style for all plots
        warnings.simplefilter("ignore")  # they are experimental
        assert getattr(plots, f"plot_{plot}")(copy, **target) is not None


def test_what_is_done_to_the_copy_stays_in_it(study: ins.Study) -> None:
    study.optuna.add_trial(optuna.trial.create_trial(values=[1.0, 1.0], params={}, distributions={}))
    assert len(study.optuna.trials) == len(study.records)


def test_trials_under_way_are_running(tmp_path: Path) -> None:
    run = copy_example(tmp_path / "run", records=4)
    lines = (run / "trials.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (run / "trials.jsonl").write_text("".join(lines[2:]), encoding="utf-8")
    opened = ins.open_run(run)
    ended = {record.number for record in opened.records}
    assert not opened.finished
    assert "not finished" in repr(opened)
    assert {trial.number for trial in opened.optuna.trials if trial.state != TrialState.RUNNING} == ended


def test_a_folder_without_a_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ins.InceptionSearchError, match=r"nothing|no study|not a run"):
        ins.open_run(tmp_path)


def test_attributes_can_be_stored_anywhere(copy: optuna.Study) -> None:
    assert all(json.loads(json.dumps(trial.user_attrs)) == trial.user_attrs for trial in copy.trials)
