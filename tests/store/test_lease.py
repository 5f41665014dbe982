import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inception_search.errors import RunFolderError, RunInUseError, StorageFullError
from inception_search.store import flock, lease
from inception_search.store.lease import Holder, hold
from tests.bounds import bounded

ROOT = Path(__file__).parents[2]
HOLD = """
import os, sys, time
from inception_search.store.lease import hold
with hold(sys.argv[1]):
    {then}
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Start a process of its own that holds ``run.lock``."""
    started = []

    def start(then="pass"):
        command = [sys.executable, "-c", HOLD.format(then=then), str(tmp_path / "run.lock")]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_lease_names_its_holder_until_it_ends(tmp_path):
    path = tmp_path / "run.lock"
    with hold(path) as held:
        assert held.active
        found = Holder.read(path)
        assert (found.host, found.pid) == (socket.gethostname(), os.getpid())
        assert found.started.endswith("+00:00")
    assert not held.active
    assert Holder.read(path) is None
    with hold(path):
        held.release()  # a lease that has ended does no harm to the next one
        assert Holder.read(path) is not None


def test_a_lease_ends_with_an_error_in_its_block(tmp_path):
    with pytest.raises(ZeroDivisionError), hold(tmp_path / "run.lock"):
        _ = 1 / 0
    hold(tmp_path / "run.lock").release()


def test_a_second_process_is_told_who_holds_it_and_what_to_do(tmp_path, holder):
    first = holder()
    with pytest.raises(RunInUseError) as caught:
        hold(tmp_path / "run.lock")
    text = str(caught.value)
    who = f"process {first.pid} on host {socket.gethostname()!r}"
    assert text.startswith(f"{tmp_path}: the run folder is in use by {who}")
    assert f"stop it with `kill {first.pid}`" in text
    assert "\n" not in text


def test_a_second_hold_in_the_same_process_is_refused_too(tmp_path):
    with hold(tmp_path / "run.lock"), pytest.raises(RunInUseError, match=f"process {os.getpid()} "):
        hold(tmp_path / "run.lock")


def test_kill_9_frees_the_folder(tmp_path, holder):
    first = holder()
    first.kill()
    first.wait()
    assert Holder.read(tmp_path / "run.lock").pid == first.pid  # it had no time to tidy up
    with hold(tmp_path / "run.lock"):
        assert Holder.read(tmp_path / "run.lock").pid == os.getpid()


def test_kill_9_frees_the_folder_though_a_forked_child_lives_on(tmp_path, holder):
    child_file = tmp_path / "child"
    named = f"open({str(child_file)!r} + '.new', 'w').write(str(os.getpid()))"
    first = holder(  # the child names itself: by then it has given up what it inherited
        "child = os.fork()\n"
        f"    if child == 0: {named}; os.rename({str(child_file)!r} + '.new', {str(child_file)!r})\n"
        "    if child == 0: time.sleep(60); os._exit(0)\n"
        f"    while not os.path.exists({str(child_file)!r}): time.sleep(0.01)"
    )
    child = int(child_file.read_text())
    try:
        first.kill()
        first.wait()
        os.kill(child, 0)  # alive
        hold(tmp_path / "run.lock").release()
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_forked_child_neither_has_nor_ends_the_lease(tmp_path, fork):
    with hold(tmp_path / "run.lock") as held:

        def work():
            assert not held.active
            held.release()

        assert os.waitpid(fork(work), 0)[1] == 0
        with pytest.raises(RunInUseError):
            hold(tmp_path / "run.lock")


def test_a_holder_on_another_host_is_named(tmp_path):
    with hold(tmp_path / "run.lock"):
        facts = {"host": "node-7", "pid": 41, "started": "2025-01-31T12:00:00+00:00"}
        (tmp_path / "run.lock").write_text(json.dumps(facts))
        with pytest.raises(RunInUseError, match="stop process 41 on 'node-7'") as caught:
            hold(tmp_path / "run.lock")
    assert "kill" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "garbage", "[]", "{}", '{"host": 1, "pid": "x"}', "[" * 5000])
def test_a_lock_file_of_unknown_content_is_respected_all_the_same(tmp_path, content):
    with hold(tmp_path / "run.lock"):
        (tmp_path / "run.lock").write_text(content)
        with pytest.raises(RunInUseError, match="in use by another search; wait for"):
            hold(tmp_path / "run.lock")
    with hold(tmp_path / "run.lock") as held:
        assert held.active


def test_control_characters_of_a_lock_file_do_not_reach_the_terminal(tmp_path):
    with hold(tmp_path / "run.lock"):
        facts = {"host": "\x1b[2Jevil", "pid": 41, "started": "\x1b]0;evil\x07"}
        (tmp_path / "run.lock").write_text(json.dumps(facts))
        with pytest.raises(RunInUseError) as caught:
            hold(tmp_path / "run.lock")
    assert str(caught.value).isprintable()


def test_a_lock_file_replaced_while_it_is_taken_is_taken_again(tmp_path, monkeypatch):
    path, replaced = tmp_path / "run.lock", []

    def replace_first(fd, path):
        if not replaced:
            replaced.append(path.unlink())
            path.touch()
        return flock.try_lock(fd, path)

    monkeypatch.setattr(lease, "try_lock", replace_first)
    with hold(path):
        assert replaced
        with pytest.raises(RunInUseError):
            hold(path)


def test_a_disk_that_grants_every_lock_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(flock.fcntl, "flock", lambda fd, kind: None)
    with pytest.raises(RunFolderError, match=r"cannot lock files.*local disk") as caught:
        hold(tmp_path / "run.lock")
    assert type(caught.value) is RunFolderError


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_disk_that_has_no_locks_is_refused(tmp_path, monkeypatch, code):
    def refuse(fd, kind):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(flock.fcntl, "flock", refuse)
    with pytest.raises(RunFolderError, match=rf"{re.escape(str(tmp_path))}.*cannot lock files.*local disk"):
        hold(tmp_path / "run.lock")


def test_a_system_without_file_locks_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(flock, "fcntl", None)
    with pytest.raises(RunFolderError, match="does not have; run the search on Linux or macOS"):
        hold(tmp_path / "run.lock")


def test_a_full_disk_leaves_no_lock_behind(tmp_path, disk):
    with disk.fails(errno.ENOSPC, calls=("write",)), pytest.raises(StorageFullError):
        hold(tmp_path / "run.lock")
    assert list(tmp_path.iterdir()) == []
    hold(tmp_path / "run.lock").release()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, disk):
    with disk.fails(errno.EROFS, calls=("open",)), pytest.raises(RunFolderError, match="read-only"):
        hold(tmp_path / "run.lock")


def test_waiting_for_a_lease_is_never_needed(tmp_path, holder):
    holder()
    with bounded(clock=time.monotonic), pytest.raises(RunInUseError):  # the holder sleeps for a minute
        hold(tmp_path / "run.lock")
