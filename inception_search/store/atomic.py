"""Atomic replacement of files: after a crash a file has either its old or its new content."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from inception_search.errors import Place, RunFolderError
from inception_search.store.disk import NO_FOLLOW, sync_folder, typed_errors, write_all
from inception_search.store.flock import try_lock

REPLACES_OPEN_FILES = os.name == "posix"  # elsewhere a file must be closed before it is renamed
_BINARY: int = getattr(os, "O_BINARY", 0)  # Windows converts line ends without this flag
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")


def write_atomic(path: str | Path, data: bytes | str) -> None:
    """Create or replace the file ``path`` in one step that survives a kill or a power cut.

    Text is written as UTF-8. Raises :class:`StorageFullError` when the disk is full and
    :class:`RunFolderError` when it cannot be written to; the old file is then still there.
    """
    path = Path(path)
    _check_name(path)
    payload = data.encode("utf-8") if isinstance(data, str) else data
    with typed_errors(path):
        temporary, fd = _open_temporary(path)
        try:
            with _closing(fd) as close:
                write_all(fd, payload)
                os.fsync(fd)
                if not REPLACES_OPEN_FILES:
                    close()
                os.replace(temporary, path)  # noqa: PTH105 - one spelling for all calls that tests make fail
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        sync_folder(path.parent)


def _check_name(path: Path) -> None:
    try:
        usable = path.name != "" and b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise RunFolderError("not the name of a file", place=Place(str(path)), hint="choose another name")


@contextmanager
def _closing(fd: int) -> Iterator[Callable[[], None]]:
    """Yield a function that closes ``fd``; at the end ``fd`` is closed if it is still open."""
    with ExitStack() as stack:
        stack.callback(os.close, fd)
        yield stack.close


def sweep_temporaries(folder: str | Path) -> list[Path]:
    """Remove the temporary files of killed writers in ``folder``, except files that are still being written.

    Returns the removed paths; the list is empty if the folder does not exist.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return []
    with typed_errors(folder):
        return [path for path in sorted(folder.iterdir()) if is_temporary(path) and _removed(path)]


def is_temporary(path: Path) -> bool:
    """Whether the file's name is one that :func:`write_atomic` gives to unfinished files."""
    return _TEMPORARY.fullmatch(path.name) is not None


def _open_temporary(path: Path) -> tuple[Path, int]:
    """Create a temporary file beside ``path``, locked while its writer lives if the file system has locks."""
    while True:
        temporary = path.with_name(f".{path.name[:64]}.{uuid.uuid4().hex[:16]}.tmp")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
        try:
            # Between the two calls another process may consider the file abandoned and remove it: try again.
            if try_lock(fd, temporary) and os.fstat(fd).st_nlink:
                return temporary, fd
        except RunFolderError:  # without locks nobody can hold a run folder, so nobody removes this file
            return temporary, fd
        except BaseException:
            os.close(fd)
            with suppress(OSError):
                temporary.unlink()
            raise
        os.close(fd)


def _removed(path: Path) -> bool:
    """Remove ``path`` unless a writer still holds it; returns whether it was removed."""
    try:
        fd = os.open(path, os.O_RDWR | NO_FOLLOW)
    except FileNotFoundError:  # its writer has just finished
        return False
    try:
        if not try_lock(fd, path):
            return False
        path.unlink()
        return True
    except FileNotFoundError:
        return False
    finally:
        os.close(fd)
