"""How far a study has come: running, broken off, finished; and what it says it ran with."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from inception_search.runner.job import Job
from inception_search.runner.remote_executor import DRIVER
from inception_search.store.heartbeat import Presence
from inception_search.store.provenance import environment, note_environment, read_environments
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig
from inception_search.study.progress import Progress, progress
from inception_search.study.search import search
from tests.example import copy_example
from tests.study.spaces import THREE_POINTS


def job(number: int, attempt: int = 1) -> Job:
    return Job(number, attempt, "a1-0", "2025-01-31T12:00:00+00:00", {}, "d", {}, 0, "cpu", "r", "c")


def seen(run: RunFolder, **options: object) -> Progress:
    return progress(run, StudyConfig.read(run.study_file), run.records(), name="runs/mine", **options)  # type: ignore[arg-type]


@pytest.fixture
def broken_off(tmp_path: Path) -> RunFolder:
    """A study of which twelve records were written and two trials begun."""
    run = RunFolder.open(copy_example(tmp_path / "run", records=12))
    run.jobs_folder.mkdir()
    run.workers_folder.mkdir()
    done = {record.number for record in run.records()}
    for number in (50, 51):
        job(number).write(run.job_file(number))
    job(min(done)).write(run.job_file(min(done)))  # recorded, and not cleared away
    return run


def test_a_finished_study_has_nothing_to_say(tmp_path: Path) -> None:
    found = seen(RunFolder.open(copy_example(tmp_path / "run")))
    assert found.finished
    assert found.words() == ""
    assert (found.done, found.wanted) == (34, 34)


def test_a_space_with_fewer_networks_than_trials_is_finished(tmp_path: Path) -> None:
    options = {"trials": 40, "train_images": 64, "image_size": 8, "epochs": 1, "pruner": "none", "baselines": False}
    study = search(THREE_POINTS, run=tmp_path / "run", **options)
    state = seen(study.run)
    assert (state.finished, state.done) == (True, 3)
    assert state.words().startswith(f"Finished with {state.done} of 40 trials: no further network")
    study_file = study.run.study_file
    study_file.write_text(study_file.read_text().replace("trials: 40", "trials: 41"))
    assert not seen(study.run).finished, "other options may find more"


def test_one_that_was_broken_off_says_how_it_goes_on(broken_off: RunFolder) -> None:
    assert seen(broken_off).words() == (
        "Not finished: 11 of 34 trials are trained, 2 trials interrupted; "
        "`inception-search resume runs/mine` continues."
    )


def test_paused_trials_are_counted(broken_off: RunFolder) -> None:
    """Each once, and not those that have ended since."""
    run, config = broken_off, StudyConfig.read(broken_off.study_file)
    records = run.records()
    first, second = (record.model_copy(update={"state": "paused"}) for record in records[:2])
    found = progress(run, config, [*records[2:], first, second, second], name="runs/mine")
    assert found.paused == 2
    assert "trials are trained, 2 paused" in found.words()
    assert seen(run).paused == 0
    assert progress(run, config, [first, *records], name="runs/mine").paused == 0


def test_a_running_one_says_what_is_in_flight_and_when_it_was_heard_of(broken_off: RunFolder) -> None:
    with Presence(broken_off.workers_folder / DRIVER, {}):
        found = seen(broken_off)
        assert found.running
        assert found.under_way == (50, 51)
        assert found.last is not None
        ago = found.words(found.last + timedelta(minutes=3))
        assert ago == "Running: 2 trials in progress, last result 3 min ago; 11 of 34 are trained."
        assert f"last result at {found.last:%Y-%m-%d %H:%M} UTC" in found.words()
    assert not seen(broken_off).running


def test_looking_leaves_the_folder_as_it_was(broken_off: RunFolder) -> None:
    def everything() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in broken_off.path.rglob("*") if path.is_file()}

    before = everything()
    seen(broken_off)
    assert everything() == before


@pytest.mark.parametrize("beats", [True, False])
def test_a_search_on_another_machine_is_watched_for_a_moment(broken_off: RunFolder, beats: bool) -> None:
    file = broken_off.workers_folder / DRIVER
    file.write_text(json.dumps({"host": "elsewhere", "pid": 1, "beats": 7}))
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if beats:
            file.write_text(json.dumps({"host": "elsewhere", "pid": 1, "beats": 9}))

    assert seen(broken_off, wait=wait).running is beats
    assert len(waited) == 1


def test_nothing_recorded_yet() -> None:
    found = Progress(0, 34, (3,), True, None, "runs/mine")
    assert found.words(datetime.now(UTC)) == "Running: 1 trial in progress, no result yet; 0 of 34 are trained."


class TestEnvironment:
    def test_it_names_the_machine_but_no_host_user_or_path(self) -> None:
        known = environment("cpu", 1)
        assert {"system", "processor", "cores", "device", "python", "torch", "optuna"} <= known.keys()
        assert all(known.values())
        text = json.dumps(known)
        assert os.uname().nodename not in text.replace(os.uname().sysname, "")
        assert "/" not in known["system"]

    def test_only_another_one_is_written_down(self, tmp_path: Path) -> None:
        run = RunFolder.create(tmp_path / "run", study_text="", space_text="")
        note_environment(run, "cpu", 1, 0)
        note_environment(run, "cpu", 1, 5)
        assert [each["from trial"] for each in read_environments(run)] == ["0"]
        text = run.environment_file.read_text().replace('"optuna": "', '"optuna": "0.')
        run.environment_file.write_text(text)
        note_environment(run, "cpu", 1, 9)
        assert [each["from trial"] for each in read_environments(run)] == ["0", "9"]

    @pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": "inception-search/environment"}', "\x00", "7"])
    def test_a_damaged_file_is_as_none(self, tmp_path: Path, text: str) -> None:
        run = RunFolder.create(tmp_path / "run", study_text="", space_text="")
        run.environment_file.write_text(text)
        assert read_environments(run) == []
