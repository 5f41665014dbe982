"""A process that cannot start is one clear error that stops the study, and never a trial that failed."""

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inception_search.errors import ConfigError, ProcessStartError
from inception_search.runner import fork_server, trial_process
from inception_search.runner import process_executor as local
from inception_search.study.attend import attend
from inception_search.study.final.finalize import finalize
from inception_search.study.search import resume, search
from tests.bounds import PATIENCE
from tests.study.programs import ROOT
from tests.study.spaces import TINY

SMALL: dict[str, Any] = {
    "train_images": 64,
    "image_size": 8,
    "baselines": False,
    "pruner": "none",
    "workers": 1,
    "trials": 1,
    "epochs": 1,
    "device": "cpu",
}

SCRIPT = f"""\
import pathlib, sys
sys.path.insert(0, {str(ROOT)!r})
if __name__ != "__main__":
    raise RuntimeError("imported again")
pathlib.Path(__file__).unlink()  # nor can it be
import inception_search as ins
print(ins.search({TINY!r}, run="run", **{SMALL!r}).best.number)
"""

# What Python runs as it starts: this spoils the server that trials are forked from, and not the search.
IN_THE_SERVER = (
    "import sys\nif any('forkserver' in word for word in sys.orig_argv) or 'preload' in str(sys.orig_argv):\n"
)
NO_FORK = """\
    import os
    def fork(): raise BlockingIOError(11, 'Resource temporarily unavailable')
    os.fork = fork
"""
NO_JOB = "    sys.modules['inception_search.runner.job'] = None\n"
NO_TORCH = """\
    import importlib.abc
    class Damaged(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path, target=None):
            if name == 'torch': raise OSError('libtorch.so: invalid ELF header')
    sys.meta_path.insert(0, Damaged())
"""


def run_script(folder: Path, text: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    (folder / "script.py").write_text(text)
    return subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_long_tmpdir_and_a_script_that_cannot_be_imported_are_no_obstacle(tmp_path):
    long = tmp_path / ("x" * 120)
    long.mkdir()
    done = run_script(tmp_path, SCRIPT, TMPDIR=str(long))
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
    (line,) = (tmp_path / "run" / "trials.jsonl").read_text().splitlines()
    assert json.loads(line)["attempt"] == 1


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(NO_FORK, "it may be out of memory, or of processes", marks=pytest.mark.slow),
        pytest.param(
            NO_JOB, "import of inception_search.runner.job halted; None in sys.modules", marks=pytest.mark.slow
        ),
        (NO_TORCH, "OSError: libtorch.so: invalid ELF header"),
    ],
    ids=["no fork", "import error", "damaged library"],
)
def test_a_server_that_cannot_do_its_work_stops_the_study_with_the_reason(tmp_path, spoil, words):
    (tmp_path / "sitecustomize.py").write_text(IN_THE_SERVER + spoil)
    (tmp_path / "tiny.yaml").write_text(TINY)
    options = {"space": "tiny.yaml", "run": "run", **SMALL}
    (tmp_path / "options.yaml").write_text(json.dumps(options))
    command = "import sys; sys.argv[1:] = ['search', 'options.yaml']; from inception_search.cli.main import run; run()"
    done = run_script(tmp_path, command, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    last = done.stderr.strip().splitlines()[-1]
    assert (done.returncode, done.stdout) == (1, "")
    assert last.startswith("error: no process for a trial can be started: ")
    assert words in last
    assert "Traceback" not in done.stderr
    assert (tmp_path / "run" / "trials.jsonl").read_text() == ""
    assert [path.name for path in (tmp_path / "run" / "jobs").glob("*.json")] == ["0.json"], "resume begins with it"


def failing(monkeypatch: pytest.MonkeyPatch, error: OSError, times: int) -> None:
    real, left = fork_server._ensure_running, [error] * times

    def ensure_running() -> None:
        if left:
            raise left.pop()
        real()

    monkeypatch.setattr(fork_server, "_ensure_running", ensure_running)
    monkeypatch.setattr(fork_server, "_PAUSE", 0.0)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EAGAIN, ["Resource temporarily unavailable", "ulimit -u"]),
        (errno.EMFILE, ["Too many open files", "ulimit -n"]),
        (errno.ENOMEM, ["Cannot allocate memory"]),
        (errno.ENOSPC, ["No space left on device"]),
    ],
    ids=["EAGAIN", "EMFILE", "ENOMEM", "ENOSPC"],
)
def test_what_the_system_refuses_is_named_before_anything_is_written(tmp_path, monkeypatch, number, words):
    failing(monkeypatch, OSError(number, os.strerror(number)), times=100)
    with pytest.raises(ProcessStartError) as raised:
        search(TINY, run=tmp_path / "run", **SMALL)
    for word in words:
        assert word in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_a_limit_that_is_met_for_a_moment_only_costs_nothing(tmp_path, monkeypatch):
    failing(monkeypatch, OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)), times=2)
    assert [record.attempt for record in search(TINY, run=tmp_path / "run", **SMALL).records] == [1]


class Starting:
    """Stands for a process; ``during`` is done while it is started."""

    def __init__(self, during: Callable[[], object]) -> None:
        self.start = during


def test_searches_in_two_threads_leave_the_script_as_it_was_and_no_process_sees_it(monkeypatch):
    """The second begins to start a process before the first has done so, and ends after it."""
    main, seen, second_begun = sys.modules["__main__"], [], threading.Event()
    monkeypatch.setattr(main, "__file__", "script.py", raising=False)
    monkeypatch.setattr(main, "__spec__", spec := object())

    def first() -> None:
        other.start()
        second_begun.wait(1.0)

    def second() -> None:
        second_begun.set()
        one.join()
        seen.append(hasattr(main, "__file__"))

    one = threading.Thread(target=fork_server.start, args=[Starting(first)])
    other = threading.Thread(target=fork_server.start, args=[Starting(second)])
    one.start()
    one.join()
    other.join()
    assert (seen, vars(main)["__file__"], main.__spec__ is spec) == ([False], "script.py", True)


def test_an_interpreter_that_is_gone_is_named_before_anything_is_written(tmp_path):
    before = sys.executable
    multiprocessing.set_executable("/nowhere/python")
    try:
        with pytest.raises(ProcessStartError, match=r"interpreter '/nowhere/python' does not exist"):
            search(TINY, run=tmp_path / "run", **SMALL)
    finally:
        multiprocessing.set_executable(before)
    assert not list(tmp_path.iterdir())


def dies(*arguments: Any) -> None:
    """Stands for the work of a trial's process that is killed before it begins."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("kills", [pytest.param(1, marks=pytest.mark.slow), local._MOST_UNBEGUN - 1])
def test_a_few_processes_killed_before_they_begin_cost_nothing(tmp_path, monkeypatch, kills):
    real, left = local.start, [None] * kills

    def start(process: Any) -> None:
        real(process)
        if left:
            left.pop()
            process.kill()

    monkeypatch.setattr(local, "start", start)
    study = search(TINY, run=tmp_path / "run", **SMALL)
    assert ([record.state for record in study.records], left) == (["complete"], [])


def test_processes_that_are_all_killed_before_they_begin_stop_the_study_with_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(trial_process, "main", dies)
    monkeypatch.setattr(local, "_UNBEGUN_SECONDS", 0.0)
    with pytest.raises(ProcessStartError, match="it ended with exit code -9 before it began its work"):
        search(TINY, run=tmp_path / "run", **SMALL, retries=1)
    assert (tmp_path / "run" / "trials.jsonl").read_text() == ""
    monkeypatch.undo()
    study = resume(tmp_path / "run")
    assert [(record.state, record.number) for record in study.records] == [("complete", 0)]


def test_a_daemonic_process_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    done = tmp_path / "done"
    search(TINY, run=done, **SMALL)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setitem(vars(multiprocessing.current_process())["_config"], "daemon", True)
    for attempt in (
        lambda: search(TINY, run=tmp_path / "new", **SMALL),
        lambda: resume(done, trials=2),
        lambda: attend(done, idle=0.0),
        lambda: finalize(done, top=1, baselines=0, seeds=1),
    ):
        with pytest.raises(ConfigError, match=r"a daemonic process .* may not start the processes of trials; start"):
            attempt()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
