"""Download of one file to its place: by one process at a time, checked, then renamed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from inception_search.downloads.source import Source
from inception_search.downloads.transfer import Watch, forget, transfer
from inception_search.errors import RunFolderError
from inception_search.store.flock import locked, try_lock

Note = Callable[[str], None]
Install = Callable[[Path], object]
IsThere = Callable[[Path], bool]


def fetch(
    source: Source,
    target: Path,
    *,
    watch: Watch | None = None,
    note: Note | None = None,
    install: Install | None = None,
    is_there: IsThere | None = None,
) -> Path:
    """Download ``source`` to ``target``, unless it is there by now; returns ``target``.

    Of several processes one downloads, and the others wait for it. An interrupted download is continued by the next
    call. ``note`` gets a message if this process has to wait. ``install`` makes ``target``, a folder, from the
    downloaded file (default: the file is renamed). ``is_there`` checks an existing target (default: a file with the
    checksum of ``source``). Raises ``source.error``.
    """
    is_there = is_there or (lambda path: _is_file_of(source, path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target, note) as partial:
            if not is_there(target):
                checked_transfer(source, partial, watch)
                try:
                    if install is None:
                        partial.replace(target)
                    else:
                        install(partial)
                finally:
                    forget(partial)
    except OSError as error:
        raise source.error(f"{source.what} cannot be stored as {target} ({error.strerror or error})") from error
    return target


def checked_transfer(source: Source, partial: Path, watch: Watch | None = None) -> None:
    """:func:`transfer`, with the checksum compared. Content with another one is removed.

    If it was continued from an earlier call, whose part may be the damaged one, it is downloaded again from the start.
    """
    continued = partial.is_file()
    transfer(source, partial, watch)
    if source.checksum is None or source.checksum.fits(partial):
        return
    found = source.checksum.of(partial)
    forget(partial)
    if not continued:
        raise source.wrong(found)
    checked_transfer(source, partial, watch)


def _is_file_of(source: Source, target: Path) -> bool:
    return target.is_file() and (source.checksum is None or source.checksum.fits(target))


@contextmanager
def _alone(target: Path, note: Note | None) -> Iterator[Path]:
    """Hold the lock of ``target``; yields the path of its partial file.

    The lock file is removed only after the target is in its place: a process that still waits for the removed file, and
    one that makes a new file, then both find the target.
    """
    lock = target.with_name(f".{target.name}.lock")
    fd = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not _can_lock(fd, lock, note):
            yield target.with_name(f".{target.name}.{os.getpid()}.part")  # its own, which no later call continues
            _remove(lock)
            return
        with locked(fd, lock):
            yield target.with_name(f".{target.name}.part")
            _remove(lock)
    finally:
        os.close(fd)


def _remove(lock: Path) -> None:
    """Remove a lock file; Windows refuses that while a process has the file open, and it then remains."""
    with suppress(OSError):
        lock.unlink(missing_ok=True)


def _can_lock(fd: int, lock: Path, note: Note | None) -> bool:
    """Whether the file system has locks; gives a note if another process holds this one."""
    try:
        free = try_lock(fd, lock)
    except RunFolderError:
        return False
    if not free and note is not None:
        note(f"waiting for another process that downloads {lock.name.removeprefix('.').removesuffix('.lock')}")
    return True
