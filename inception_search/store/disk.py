"""Disk operations with typed errors, and open standard streams."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inception_search.errors import Place, RunFolderError, StorageFullError

_FULL = {errno.ENOSPC, errno.EDQUOT}
NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
"""Flag for ``os.open`` that refuses symbolic links, because one in a run folder could lead anywhere."""

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
    """Convert ``error`` about ``path`` to a :class:`RunFolderError` or :class:`StorageFullError`."""
    place = Place(file=str(path))
    if error.errno in _FULL:
        return StorageFullError(
            "the disk is full" if error.errno == errno.ENOSPC else "the disk quota is used up",
            place=place,
            hint="free some space, then start again (`inception-search resume` if the search has begun); "
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
    """Remove a file if it exists. Raises RunFolderError if it cannot be removed."""
    with typed_errors(path):
        path.unlink(missing_ok=True)


def write_all(fd: int, data: bytes) -> None:
    """Write all of ``data`` to ``fd``; the kernel may take it in several pieces."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def sync_folder(folder: Path) -> None:
    """Write the names in ``folder`` to disk; a new or renamed file survives a power cut only after this."""
    if os.name != "posix":  # other systems cannot open folders
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError as error:  # some network file systems do not support it
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(fd)


def open_standard_descriptors() -> None:
    """Open the null device for each of the descriptors 0, 1 and 2 that is closed.

    Otherwise the next opened file, socket or pipe could become standard output and receive printed text.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the system returns the lowest free descriptor, which is this one
            os.set_inheritable(opened, True)
