"""Heartbeat files: they show whether a process on this or another machine is still alive.

On one machine a file lock is enough, because it is released when its holder dies. Locks of another machine may not be
visible here. A heartbeat that does not change for a while (by the observer's clock) then means that its holder is gone.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from inception_search.store.disk import NO_FOLLOW, typed_errors, write_all
from inception_search.store.flock import try_lock

BEAT = 1.0  # seconds between beats
SILENCE = 60.0  # seconds without a beat after which a process on another machine counts as gone


class Presence:
    """A heartbeat file with facts about this process, locked and updated while the process lives."""

    def __init__(self, path: Path, facts: dict[str, Any], clock: Callable[[], float] = time.monotonic) -> None:
        self.path, self.clock = path, clock
        self.facts = {"host": socket.gethostname(), "pid": os.getpid(), **facts}
        self.beats, self.last = 0, -BEAT
        with typed_errors(path):
            self.fd = os.open(path, os.O_RDWR | os.O_CREAT | NO_FOLLOW, 0o666)
            while not try_lock(self.fd, path):  # an observer holds the lock for a moment to test it
                time.sleep(0.01)
        self.beat(force=True)

    def beat(self, *, force: bool = False) -> None:
        """Update the heartbeat if the last beat is old enough; callers may call this as often as they like."""
        if not force and self.clock() - self.last < BEAT:
            return
        self.beats, self.last = self.beats + 1, self.clock()
        with suppress(OSError):  # on a full disk the lock still shows that this process lives
            os.lseek(self.fd, 0, os.SEEK_SET)
            data = json.dumps({**self.facts, "beats": self.beats}).encode()
            os.ftruncate(self.fd, 0)
            write_all(self.fd, data)

    def leave(self) -> None:
        """Remove the heartbeat file."""
        if self.fd >= 0:
            with suppress(OSError):
                self.path.unlink()
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


class Watched:
    """A heartbeat file, observed by another process."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path, self.clock = path, clock
        self.facts: dict[str, Any] = {}
        self.beats, self.since = -1, clock()

    @property
    def local(self) -> bool:
        """Whether the file names this machine."""
        return self.facts.get("host") == socket.gethostname()

    def there(self) -> bool:
        """Whether its process appears to be alive."""
        facts = _read(self.path)
        if facts is not None:
            self.facts = facts
            if facts.get("beats") != self.beats:
                self.beats, self.since = facts["beats"], self.clock()
        elif not self.path.exists():
            return False
        if self.local:
            return _held(self.path)
        return self.clock() - self.since < SILENCE


def _read(path: Path) -> dict[str, Any] | None:
    try:
        facts = json.loads(path.read_bytes())
        return facts if isinstance(facts, dict) and "beats" in facts else None
    except (OSError, ValueError):  # the file is empty for a moment during each beat
        return None


def _held(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDWR | NO_FOLLOW)
    except OSError:
        return False
    try:
        return not try_lock(fd, path)
    finally:
        os.close(fd)
