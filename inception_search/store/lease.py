"""The lock of a run folder: it names its holder, and the kernel releases it when the holder dies."""

from __future__ import annotations

import json
import os
import socket
import weakref
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from inception_search.errors import Place, RunInUseError
from inception_search.store.disk import NO_FOLLOW, typed_errors, write_all
from inception_search.store.flock import cannot_lock, excludes, try_lock
from inception_search.store.record import utc_now

_LARGEST = 4096  # bytes read of a lock file; ours have about a hundred


@dataclass(frozen=True)
class Holder:
    """The process that holds a lease; ``started`` is UTC, ISO 8601."""

    host: str
    pid: int
    started: str

    @classmethod
    def this_process(cls) -> Self:
        """The holder that describes this process."""
        return cls(socket.gethostname(), os.getpid(), utc_now())

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The holder named in the lock file, or None if it names nobody."""
        try:
            with path.open("rb") as file:
                facts = json.loads(file.read(_LARGEST))
            return cls(str(facts["host"]), int(facts["pid"]), str(facts["started"]))
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def __str__(self) -> str:
        return f"process {self.pid} on host {self.host!r} since {self.started!r}"


class Lease:
    """An exclusive hold on a lock file until :meth:`release`, or the end of its ``with`` block or process."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self._fd: int | None = fd
        _held.add(self)

    @property
    def active(self) -> bool:
        """Whether this process still holds it; never true in a forked child."""
        return self._fd is not None

    def release(self) -> None:
        """Release the folder; a second call does nothing."""
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        with suppress(OSError):  # the lock decides, so a name that remains in the file is harmless
            os.ftruncate(fd, 0)
        os.close(fd)

    def disown(self) -> None:
        """Drop the lease in a forked child; the parent keeps it until the parent ends."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def hold(path: str | Path) -> Lease:
    """Take the lock file ``path`` for this process, or raise :class:`RunInUseError` naming the holder.

    Raises :class:`RunFolderError` where the file cannot be written or this file system cannot lock.
    """
    path = Path(path)
    with typed_errors(path):
        while True:
            lease = _try_hold(path)
            if lease is not None:
                return lease


def _try_hold(path: Path) -> Lease | None:
    """A lease, or None if the file was replaced while it was being locked."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | NO_FOLLOW, 0o666)
    try:
        if not try_lock(fd, path):
            raise _in_use(path)
        if _is_still(fd, path):
            _sign(fd, path)
            return Lease(path, fd)
    except RunInUseError:
        os.close(fd)
        raise
    except BaseException:
        with suppress(OSError):  # nobody holds the file, so it can be removed
            path.unlink()
        os.close(fd)
        raise
    os.close(fd)
    return None


def _is_still(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))  # noqa: PTH116 - beside its twin for descriptors
    except FileNotFoundError:
        return False


def _sign(fd: int, path: Path) -> None:
    if not excludes(path):
        raise cannot_lock(path)
    os.ftruncate(fd, 0)
    write_all(fd, json.dumps(asdict(Holder.this_process())).encode())


def _in_use(path: Path) -> RunInUseError:
    holder = Holder.read(path)
    if holder is None:
        hint = "wait for the other search to end, or choose another run folder"
    elif holder.host == socket.gethostname():
        hint = f"wait for it to end, or stop it with `kill {holder.pid}`, then try again"
    else:
        hint = f"wait for it to end, or stop process {holder.pid} on {holder.host!r}, then try again"
    hint += f"; to help it, run `inception-search worker {path.parent}`"
    rule = f"the run folder is in use by {holder or 'another search'}"
    return RunInUseError(rule, place=Place(file=str(path.parent)), hint=hint)


_held: weakref.WeakSet[Lease] = weakref.WeakSet()


def _disown_all() -> None:
    for lease in list(_held):
        lease.disown()


# Otherwise a forked child, such as a data loader's worker, would hold the folder after its parent was killed.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_disown_all)
