"""Programs that are interrupted, terminated and killed while they search."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inception_search.study.search import resume
from inception_search.study.study import Study
from tests.bounds import PATIENCE
from tests.study.programs import SMALL, jobs, members, start, wait_for
from tests.study.spaces import TINY

Program = subprocess.Popen[str]

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


@pytest.fixture
def endless(tmp_path: Path) -> str:
    """A configuration of trials that would take hours."""
    (tmp_path / "tiny.yaml").write_text(TINY)
    (tmp_path / "search.yaml").write_text(SMALL + "space: tiny.yaml\nrun: run\ntrials: 2\nepochs: 100000\n")
    return "search.yaml"


def shorten(run: Path) -> None:
    """Make the trials of a study short enough to be finished."""
    file = run / "study.yaml"
    file.write_text(file.read_text().replace("epochs: 100000", "epochs: 1"))
    for state in (run / "checkpoints").glob("*.state"):  # of trainings that were to take longer
        state.unlink()


def stopped(process: Program, run: Path, *numbers: signal.Signals) -> tuple[str, str]:
    """Signal a program and all its processes once it trains, as Ctrl-C does; what it said."""
    wait_for(lambda: len(jobs(run)) == 2)
    for number in numbers:
        os.killpg(process.pid, number)
    return process.communicate(timeout=PATIENCE)


def test_ctrl_c_stops_cleanly_and_resume_finishes(program, endless, tmp_path):
    process = program("search", endless)
    out, err = stopped(process, tmp_path / "run", signal.SIGINT)
    assert process.returncode == 130, err
    assert "stopped; to continue: inception-search resume run" in err
    assert "Traceback" not in err
    assert "trials: none" in out
    wait_for(lambda: not members(process.pid))
    assert len(jobs(tmp_path / "run")) == 2  # what was under way goes on from its last epoch

    shorten(tmp_path / "run")
    again = program("resume", "run")
    out, err = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, err
    assert "leaderboard" in out
    assert {record.attempt for record in Study.open(tmp_path / "run").records if record.state == "complete"} == {2}


@pytest.mark.slow
def test_sigterm_stops_as_ctrl_c_does(program, endless, tmp_path):
    process = program("search", endless)
    wait_for(lambda: len(jobs(tmp_path / "run")) == 2)
    process.terminate()
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "stopped; to continue: inception-search resume run" in err


@pytest.mark.slow
def test_ctrl_c_while_everything_still_loads_leaves_no_traceback(program, endless, tmp_path):
    process = program("search", endless)
    wait_for((tmp_path / "run" / "jobs" / "data.safetensors").exists)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "resume run" in err
    wait_for(lambda: not members(process.pid))


@pytest.mark.slow
def test_two_times_ctrl_c_ends_at_once(program, endless, tmp_path):
    process = program("search", endless)
    _, err = stopped(process, tmp_path / "run", signal.SIGINT, signal.SIGINT)
    assert process.returncode == 130
    assert "Traceback" not in err
    wait_for(lambda: not members(process.pid))


@pytest.mark.slow
def test_a_killed_driver_takes_its_trials_along_and_is_resumed(program, endless, tmp_path):
    process = program("search", endless)
    run = tmp_path / "run"
    wait_for(lambda: len(jobs(run)) == 2)
    process.kill()
    wait_for(lambda: not members(process.pid))
    assert len(jobs(run)) == 2
    assert not list((run / "results").iterdir()), "a trial took the end of its driver for its own failure"

    shorten(run)
    study = resume(run)
    assert [r.attempt for r in study.records if r.state == "complete"] == [2, 2]
    assert not list((run / "jobs").iterdir())


def kill_soon(process: Program, run: Path, seconds: float) -> None:
    """Kill a driver some time after it has begun to train; its trials end, too."""
    wait_for(lambda: jobs(run) or process.poll() is not None)
    time.sleep(seconds)
    process.kill()
    wait_for(lambda: not members(process.pid))


@pytest.mark.slow
def test_many_kills_lose_no_recorded_trial(program, endless, tmp_path):
    run, rng = tmp_path / "run", random.Random(7)
    file = tmp_path / "search.yaml"
    file.write_text(file.read_text().replace("100000", "40").replace("trials: 2", "trials: 12"))
    recorded: dict[int, str] = {}
    arguments = ("search", endless)
    for _ in range(6):
        process = program(*arguments)
        kill_soon(process, run, rng.uniform(0.0, 2.5))
        now = {record.number: record.to_json() for record in Study.open(run).records}
        assert {number: now[number] for number in recorded} == recorded
        recorded = now
        arguments = ("resume", "run")
    last = program("resume", "run")
    _, err = last.communicate(timeout=PATIENCE)
    assert last.returncode == 0, err
    records = Study.open(run).records
    assert len((run / "trials.jsonl").read_text().splitlines()) == len(records)
    trained = [record for record in records if record.state in ("complete", "pruned", "failed")]
    assert len({record.arch_id for record in trained}) == len(trained) == 12
    assert not [path for folder in ("jobs", "results") for path in (run / folder).iterdir()]


SCRIPT = """\
import inception_search as ins
print("started")
study = ins.search({space!r}, run="run", trials=2, epochs=1, train_images=64, image_size=8, baselines=False, workers=2)
print("best", study.best.value)
"""


def test_a_script_needs_no_main_guard(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT.format(space=TINY))
    process = start([sys.executable, "script.py"], tmp_path)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert out.count("started") == 1
    assert out.count("best") == 1
    shown = [line.split()[:3] for line in err.splitlines()]
    assert [count for count, *_ in shown] == ["1/2", "2/2"]
    assert {number for *_, number in shown} == {"0", "1"}  # two at a time: either may end first
