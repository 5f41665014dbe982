"""What a person is told when the disk refuses."""

import errno
import os

import pytest

from inception_search.errors import RunFolderError, StorageFullError
from inception_search.store.atomic import write_atomic
from inception_search.store.jsonl import append_line, read_lines

# (what the system says, error class, words that must be in the text)
REFUSALS = [
    (errno.ENOSPC, StorageFullError, ["the disk is full", "free some space", "inception-search resume"]),
    (errno.EDQUOT, StorageFullError, ["quota", "free some space"]),
    (errno.EROFS, RunFolderError, ["read-only", "choose a run folder"]),
    (errno.EACCES, RunFolderError, ["permission denied", "choose a run folder you may write to"]),
    (errno.EPERM, RunFolderError, ["permission denied"]),
    (errno.EIO, RunFolderError, ["the disk refused", "nput/output error"]),
]


@pytest.mark.parametrize("call", ["open", "write", "fsync"])
@pytest.mark.parametrize(("code", "kind", "words"), REFUSALS)
@pytest.mark.parametrize("write", [write_atomic, append_line])
def test_refusals_are_told_with_the_path_and_the_hint(tmp_path, disk, write, code, kind, words, call):
    path = tmp_path / "some.file"
    with disk.fails(code, calls=(call,)), pytest.raises(RunFolderError) as caught:
        write(path, "{}")
    assert type(caught.value) is kind
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert [word for word in words if word not in text] == []
    assert "\n" not in text


# (how the path is spoilt, words that must be in the text)
BAD_PATHS = [
    ("missing/some.file", "does not exist"),
    ("a_file/some.file", "is a file, not a folder"),
    ("a_folder", "this is a folder where a file should be"),
    ("x" * 300, "too long"),
]


@pytest.mark.parametrize(("name", "words"), BAD_PATHS)
def test_paths_that_cannot_be_written(tmp_path, name, words):
    (tmp_path / "a_file").write_text("")
    (tmp_path / "a_folder").mkdir()
    with pytest.raises(RunFolderError, match=words):
        append_line(tmp_path / name, "{}")


def test_links_are_not_followed(tmp_path):
    target = tmp_path / "precious.txt"
    target.write_text("keep me\n")
    (tmp_path / "trials.jsonl").symlink_to(target)
    with pytest.raises(RunFolderError, match="symbolic link"):
        append_line(tmp_path / "trials.jsonl", "{}")
    with pytest.raises(RunFolderError, match="symbolic link"):
        list(read_lines(tmp_path / "trials.jsonl"))
    assert target.read_text() == "keep me\n"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(RunFolderError, match="permission denied"):
        write_atomic(tmp_path / "x", "x")
