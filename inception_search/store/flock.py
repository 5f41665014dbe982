"""Whole-file locks, which the kernel releases when their holder ends in any way."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inception_search.errors import Place, RunFolderError
from inception_search.store.disk import NO_FOLLOW

try:
    import fcntl
except ImportError:  # not a POSIX system
    fcntl = None  # type: ignore[assignment]

_UNSUPPORTED = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}


@contextmanager
def locked(fd: int, path: Path, *, shared: bool = False) -> Iterator[None]:
    """Wait for the lock of the open file ``fd`` and hold it; ``shared`` permits other shared holders.

    Raises :class:`RunFolderError`, which names ``path``, if the file system has no locks. A shared holder, which
    only reads, then continues without the lock, so that a finished study can be read anywhere.
    """
    held = True
    try:
        _flock(fd, path, shared=shared)
    except RunFolderError:
        if not shared:
            raise
        held = False
    try:
        yield
    finally:
        if held:
            unlock(fd)


def try_lock(fd: int, path: Path) -> bool:
    """Take the exclusive lock of ``fd`` without waiting; False if another process holds it."""
    try:
        _flock(fd, path, wait=False)
    except BlockingIOError:
        return False
    return True


def unlock(fd: int) -> None:
    """Release the lock, also for processes that inherited ``fd``, which closing would not do."""
    fcntl.flock(fd, fcntl.LOCK_UN)


def excludes(path: Path) -> bool:
    """Whether the lock of this process on ``path`` excludes a second opener.

    Some network file systems grant every lock; two searches would overwrite each other's files there.
    """
    fd = os.open(path, os.O_RDWR | NO_FOLLOW)
    try:
        return not try_lock(fd, path)
    finally:
        os.close(fd)


def _flock(fd: int, path: Path, *, shared: bool = False, wait: bool = True) -> None:
    if fcntl is None:
        raise RunFolderError(
            "run folders need file locks (flock), which this operating system does not have",
            place=Place(file=str(path)),
            hint="run the search on Linux or macOS (on Windows: inside WSL)",
        )
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(fd, kind if wait else kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            raise cannot_lock(path) from error
        raise


def cannot_lock(path: Path) -> RunFolderError:
    """The error for a file system whose locks do not work."""
    return RunFolderError(
        "this file system cannot lock files",
        place=Place(file=str(path)),
        hint="put the run folder on a local disk",
    )
