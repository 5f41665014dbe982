import errno
import os
import signal

import pytest

from inception_search.errors import RunFolderError
from inception_search.store import atomic
from inception_search.store.atomic import sweep_temporaries, write_atomic


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def killed_while_writing(fork, path):
    def work():
        os.fsync = lambda fd: os.kill(os.getpid(), signal.SIGKILL)
        write_atomic(path, "half")

    _, status = os.waitpid(fork(work), 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


def test_text_and_bytes_are_written_and_replaced(tmp_path):
    write_atomic(tmp_path / "a", "grün\n")
    assert (tmp_path / "a").read_bytes() == "grün\n".encode()
    write_atomic(str(tmp_path / "a"), b"\x00\xff")
    assert (tmp_path / "a").read_bytes() == b"\x00\xff"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("for_good", [False, True])
def test_whatever_call_fails_the_file_is_whole_and_no_temporary_is_left(tmp_path, disk, for_good):
    old, new = "old " * 50, "new " * 50
    path = tmp_path / "a"
    for at in range(1, 20):
        path.write_text(old)
        try:
            with disk.fails(errno.ENOSPC, at=at, for_good=for_good):
                write_atomic(path, new)
        except RunFolderError:
            assert path.read_text() in (old, new)
        assert names(tmp_path) == ["a"]
        if not disk.failed:
            break
    assert not disk.failed
    assert at > 5
    assert path.read_text() == new


def test_a_long_name_can_be_written(tmp_path):
    write_atomic(tmp_path / ("n" * 250), "x")
    assert names(tmp_path) == ["n" * 250]


def test_a_killed_writer_leaves_the_old_file_and_its_rest_is_swept(tmp_path, fork):
    path = tmp_path / "a"
    write_atomic(path, "old")
    killed_while_writing(fork, path)
    assert path.read_text() == "old"
    assert len(names(tmp_path)) == 2
    swept = sweep_temporaries(tmp_path)
    assert len(swept) == 1
    assert names(tmp_path) == ["a"]


def test_sweeping_leaves_living_writers_and_foreign_files_alone(tmp_path, monkeypatch):
    swept = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (swept.append(sweep_temporaries(tmp_path)), sync(fd)))
    (tmp_path / ".notes.tmp").write_text("mine")
    write_atomic(tmp_path / "a", "new")
    assert swept
    assert not any(swept)
    assert names(tmp_path) == [".notes.tmp", "a"]
    assert (tmp_path / "a").read_text() == "new"


def test_a_sweeper_that_comes_first_does_not_spoil_the_write(tmp_path, monkeypatch):
    lock, robbed = atomic.try_lock, []

    def rob_once(fd, path):
        if not robbed:
            robbed.append(path)
            path.unlink()
        return lock(fd, path)

    monkeypatch.setattr(atomic, "try_lock", rob_once)
    write_atomic(tmp_path / "a", "new")
    assert robbed
    assert names(tmp_path) == ["a"]


def test_a_missing_folder_has_nothing_to_sweep(tmp_path):
    assert sweep_temporaries(tmp_path / "none") == []
