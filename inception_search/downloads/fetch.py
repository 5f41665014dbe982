"""Download of one file to its place: by one process at a time, checked, then renamed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from inception_search.downloads.source import Source
from inception_search.downloads.transfer import Watch, forget, transfer
from inception_search.errors import RunFolderError
from inception_search.store.flock import locked, try_lock

Note = Callable[[str], None]
Install = Callable[[Path], object]


def fetch(
    source: Source,
    target: Path,
    *,
    watch: Watch | None = None,
    note: Note | None = None,
    install: Install | None = None,
) -> Path:
    """Download ``source`` to ``target``, unless it is there by now; returns ``target``.

    Of several processes one downloads, and the others wait for it. An interrupted download is continued by the next
    call. ``note`` gets a message if this process has to wait. ``install`` makes ``target``, a folder, from the
    downloaded file (default: the file is renamed). Raises ``source.error``.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target, note) as partial:
            if not _is_there(source, target):
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


def _is_there(source: Source, target: Path) -> bool:
    return target.is_dir() or (target.is_file() and (source.checksum is None or source.checksum.fits(target)))


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
            lock.unlink(missing_ok=True)
            return
        with locked(fd, lock):
            yield target.with_name(f".{target.name}.part")
            lock.unlink(missing_ok=True)
    finally:
        os.close(fd)


def _can_lock(fd: int, lock: Path, note: Note | None) -> bool:
    """Whether the file system has locks; gives a note if another process holds this one."""
    try:
        free = try_lock(fd, lock)
    except RunFolderError:
        return False
    if not free and note is not None:
        note(f"waiting for another process that downloads {lock.name.removeprefix('.').removesuffix('.lock')}")
    return True
