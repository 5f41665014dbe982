"""The few disk operations of this room, errors for their failures, and standard streams that are there."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inception_search.errors import Place, RunFolderError, StorageFullError

_FULL = {errno.ENOSPC, errno.EDQUOT}
NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
"""Flag for ``os.open``: a symbolic link in a run folder could lead anywhere, so none is followed."""

_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP}


@contextmanager
def typed_errors(path: Path) -> Iterator[None]:
    """Turn every :class:`OSError` of the block into a :class:`RunFolderError` that names ``path``.

    A full disk or an exhausted quota becomes a :class:`StorageFullError`.
    """
    try:
        yield
    except OSError as error:
        raise explain(error, path) from error


def explain(error: OSError, path: Path) -> RunFolderError:
    """What ``error`` means for ``path``, as a :class:`RunFolderError` or :class:`StorageFullError`."""
    place = Place(file=str(path))
    if error.errno in _FULL:
        return StorageFullError(
            "the disk is full" if error.errno == errno.ENOSPC else "the disk quota is used up",
            place=place,
            hint="free some space, then start again (`inception-search resume` if the search had begun); "
            "nothing recorded is lost",
        )
    rule, hint = _RULES.get(error.errno or 0, (f"the disk refused: {error.strerror or error}", None))
    return RunFolderError(rule, place=place, hint=hint)


_RULES: dict[int, tuple[str, str | None]] = {
    errno.EROFS: ("the file system is read-only", "choose a run folder on a disk that can be written to"),
    errno.EACCES: ("permission denied", "choose a run folder you may write to"),
    errno.EPERM: ("permission denied", "choose a run folder you may write to"),
    errno.ENOENT: (
        "the file or its folder does not exist (any more)",
        "was the run folder moved or deleted?",
    ),
    errno.ENOTDIR: ("a part of this path is a file, not a folder", "choose another path"),
    errno.EISDIR: ("this is a folder where a file should be", "move it away"),
    errno.ELOOP: ("this is a symbolic link, which is not followed", "put the file itself here"),
    errno.ENAMETOOLONG: ("the file name is too long", "choose a shorter path"),
}


def remove(path: Path) -> None:
    """Remove a file; one that is not there is no error. Raises RunFolderError."""
    with typed_errors(path):
        path.unlink(missing_ok=True)


def write_all(fd: int, data: bytes) -> None:
    """Write all of ``data`` to ``fd``; the kernel may take it in several pieces."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable: a made or renamed file survives a power cut only after this."""
    if os.name != "posix":  # folders cannot be opened there
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError as error:  # some network file systems have no such call
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(fd)


def open_standard_descriptors() -> None:
    """Open the null device as each of the descriptors 0, 1 and 2 that is closed.

    The next file, socket or pipe that is opened would else become, say, standard output, and get what is printed.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one
            os.set_inheritable(opened, True)
