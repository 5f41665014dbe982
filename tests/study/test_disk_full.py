"""A disk that refuses the n-th write: a typed error, and nothing lost once it takes writes again."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from inception_search.errors import RunFolderError
from tests.study.conftest import FakeStudy
from tests.study.crashes import check
from tests.study.fake_executor import World
from tests.study.spaces import TINY


@contextmanager
def refused(patch: pytest.MonkeyPatch, nth: int, code: int) -> Iterator[list[int]]:
    """Fail the ``nth`` write (and all after it) half-way; the list counts the writes."""
    real, calls = os.write, [0]

    def write(fd: int, data: Any) -> int:
        calls[0] += 1
        if calls[0] >= nth:
            real(fd, bytes(data)[: len(data) // 2])
            raise OSError(code, os.strerror(code))
        return real(fd, data)

    with patch.context() as inner:
        inner.setattr(os, "write", write)
        yield calls


def survive(study: FakeStudy, patch: pytest.MonkeyPatch, nth: int, code: int) -> bool:
    """Search on a disk that fails at its ``nth`` write, then on one that does not; whether it failed."""
    told = ""
    with refused(patch, nth, code):
        try:
            study.go()
        except RunFolderError as error:  # a StorageFullError where the search itself met the full disk, not a trial
            told = str(error)
    assert study.go()
    check(study, 3)
    assert not told or (str(study.run.path) in told and "\n" not in told)
    return bool(told)


@pytest.mark.parametrize("nth", [1, 2, 3, 5, 8, 11, 13, 15, 17, 19, 21])
def test_a_full_disk_is_told_and_costs_nothing(fake_study, monkeypatch, nth):
    assert survive(fake_study(trials=3, epochs=2), monkeypatch, nth, errno.ENOSPC)


@pytest.mark.slow
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_any_write_may_fail(tmp_path, monkeypatch, code):
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    nth = 1
    while survive(FakeStudy(tmp_path / str(nth), TINY, World(), trials=3, epochs=2), monkeypatch, nth, code):
        nth += 1
    assert nth > 20
