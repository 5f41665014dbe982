"""Going on with a study in a space that has grown: old trials keep their meaning, new ones use the new room."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from optuna.trial import TrialState

from inception_search.errors import NotInSpaceError, RunFolderError
from inception_search.space.space import Space
from inception_search.store import run_folder
from inception_search.study import migrate_space as grow
from inception_search.study.migrate_space import NOTE, begin_growth, finish_growth
from tests.study.conftest import FakeStudy
from tests.trial_results import write_result

SMALL = """\
schema: inception-search/space
version: 1
name: small
network:
  name: small
  input: 1x8x8
  stages:
    stem: {conv: {kernel: 3x3, width: {$choice: [4, 8, 12]}, stride: 2}}
  head: {pool: avg, classes: 10}
"""
GROWN = SMALL.replace("[4, 8, 12]", "[4, 8, 12, 16, 20]").replace(
    "head:", "  more: {$choice: {none: absent, conv: {conv: {kernel: 1x1, width: {$int: [4, 8]}}}}}\n  head:"
)
OTHER_HOLES = SMALL.replace("{$choice: [4, 8, 12]}", "{$int: [4, 32, 4], $name: w}")
NARROWED = SMALL.replace("[4, 8, 12]", "[8, 12]")


def grown(study: FakeStudy, text: str) -> None:
    with study.run.hold():
        finish_growth(study.run)
        begin_growth(study.run, Space(text), "fake: grown\n")
    study.space = Space(text)


def finished(fake_study: Callable[..., FakeStudy], trials: int = 3) -> FakeStudy:
    study = fake_study(SMALL, trials=trials, baselines=False)
    assert study.go()
    return study


@pytest.mark.parametrize("text", [GROWN, OTHER_HOLES], ids=["labels", "names"])
def test_old_trials_are_points_of_the_new_space(fake_study: Any, text: str) -> None:
    study = finished(fake_study)
    before = study.run.records()
    grown(study, text)
    after = study.run.records()
    assert [r.model_copy(update={"holes": {}}) for r in after] == [r.model_copy(update={"holes": {}}) for r in before]
    for old, new in zip(before, after, strict=True):
        stem = Space(SMALL).decode(old.holes).stages["stem"]
        assert study.space.decode(new.holes).stages["stem"] == stem
    assert study.run.space_text() == text
    assert not (study.run.path / NOTE).exists()


def test_the_search_goes_on_in_the_new_room_and_trains_nothing_twice(fake_study: Any) -> None:
    study = finished(fake_study)
    trained = [r.arch_id for r in study.run.records() if r.state == "complete"]
    assert len(trained) == 3  # all points of the small space
    grown(study, GROWN)
    assert study.go(trials=7)
    records = study.run.records()
    trained = [r.arch_id for r in records if r.state == "complete"]
    assert len(trained) == len(set(trained)) == 7
    told = [trial for trial in study.index if trial.state == TrialState.COMPLETE]
    assert sorted(trial.value for trial in told)[-1] == max(r.value for r in records if r.state == "complete")
    assert all("more" in trial.params for trial in told)  # old trials, too, say what the new hole is in them


def test_trials_outside_a_narrower_space_keep_their_records(fake_study: Any) -> None:
    study = finished(fake_study)
    grown(study, NARROWED)
    outside = [r for r in study.run.records() if not r.holes]
    assert {record.network["stages"]["stem"]["width"] for record in outside if record.network} == {4}
    assert "complete" in {record.state for record in outside}
    assert len(outside) < len(study.run.records())
    assert study.go(trials=3)


def test_the_same_space_changes_nothing(fake_study: Any) -> None:
    study = finished(fake_study)
    before = study.run.trials_file.read_bytes(), study.run.journal_file.read_bytes()
    grown(study, SMALL)
    assert (study.run.trials_file.read_bytes(), study.run.journal_file.read_bytes()) == before


@pytest.mark.parametrize("steps", range(6))
def test_a_kill_at_any_step_is_mended_by_the_next_run(
    fake_study: Any, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    study = finished(fake_study)
    count = len(study.run.records())
    written = 0
    real = grow.write_atomic

    def dies(path: Any, data: Any) -> None:
        nonlocal written
        if written == steps:
            raise KeyboardInterrupt
        written += 1
        real(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(grow, "write_atomic", dies)
        if steps < 5:  # the note, the records, the index, the space, the configuration
            with pytest.raises(KeyboardInterrupt):
                grown(study, GROWN)
        else:
            grown(study, GROWN)
    grown(study, GROWN)
    numbers = [record.number for record in study.run.records()]
    assert numbers == list(range(count))
    lines = study.run.trials_file.read_text().splitlines()
    assert len(lines) == 2 * count  # every record once as it was and once as it is now
    assert (study.run.space_text(), study.run.study_text()) == (GROWN, "fake: grown\n")
    for record in study.run.records():
        assert study.space.decode(record.holes).stages
    assert study.go(trials=4)


def test_results_that_wait_are_not_lost(fake_study: Any) -> None:
    study = finished(fake_study)
    write_result(study.run, 7, {"state": "complete"})
    with study.run.hold(), pytest.raises(RunFolderError, match=r"training results.*resume once without"):
        begin_growth(study.run, Space(GROWN), "fake: grown\n")
    assert study.run.space_text() == SMALL


@pytest.mark.parametrize("note", ["", "{", "[]", '{"before": 1}'])
def test_a_damaged_note_is_named(fake_study: Any, note: str) -> None:
    study = finished(fake_study)
    (study.run.path / NOTE).write_text(note)
    with study.run.hold(), pytest.raises(RunFolderError, match=r"note of a change of space cannot be read.*delete it"):
        finish_growth(study.run)


def test_the_note_is_plain_json(fake_study: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    study = finished(fake_study)
    monkeypatch.setattr(grow, "finish_growth", lambda run: None)
    with study.run.hold():
        begin_growth(study.run, Space(GROWN), "fake: grown\n")
    note = json.loads((study.run.path / NOTE).read_text())
    assert note == {"before": SMALL, "after": GROWN, "study": "fake: grown\n", "lines": len(study.run.records())}
    assert run_folder.RunFolder.open(study.run.path).records()


def test_a_space_that_holds_no_trial_is_refused_and_nothing_written(fake_study: Any) -> None:
    study = finished(fake_study)
    before = {path.name: path.read_bytes() for path in study.run.path.iterdir() if path.is_file()}
    foreign = Space(SMALL.replace("3x3, width", "5x5, width"))
    with (
        study.run.hold(),
        pytest.raises(RunFolderError, match=r"none of the \d+ earlier trials is in space.*new"),
    ):
        begin_growth(study.run, foreign, "fake: grown\n")
    after = {path.name: path.read_bytes() for path in study.run.path.iterdir() if path.is_file()}
    assert {**after, "run.lock": b""} == {**before, "run.lock": b""}


def test_a_wrong_entry_of_contains_is_named_and_nothing_written(fake_study: Any) -> None:
    study = finished(fake_study)
    wrong = GROWN.replace("network:\n  name", "contains: {v1: {network: inception_v1}}\nnetwork:\n  name", 1)
    with study.run.hold(), pytest.raises(NotInSpaceError, match=r"contains\.v1: it is not a point of the space"):
        begin_growth(study.run, Space(wrong), "fake: grown\n")
    assert study.run.space_text() == SMALL


def test_what_became_of_the_trials_is_told(fake_study: Any) -> None:
    study = finished(fake_study)
    with study.run.hold():
        told = begin_growth(study.run, Space(NARROWED), "fake: grown\n")
    count = len(study.run.records())
    assert told.endswith(f"of {count} earlier trials are points of space 'small', in which the search continues")
    assert 0 < int(told.split()[0]) < count
