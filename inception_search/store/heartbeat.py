"""Whether somebody is still there: a locked file on one machine, a beat that goes on seen from another.

A lock is free the moment its holder dies, however it dies. Where the holder is on another machine, whose locks this
one may not see, a beat that stands still for a while (by the clock of who looks) tells the same.
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
SILENCE = 60.0  # seconds without one after which somebody on another machine counts as gone


class Presence:
    """A file that says who is there, locked and beating while this process lives."""

    def __init__(self, path: Path, facts: dict[str, Any], clock: Callable[[], float] = time.monotonic) -> None:
        self.path, self.clock = path, clock
        self.facts = {"host": socket.gethostname(), "pid": os.getpid(), **facts}
        self.beats, self.last = 0, -BEAT
        with typed_errors(path):
            self.fd = os.open(path, os.O_RDWR | os.O_CREAT | NO_FOLLOW, 0o666)
            while not try_lock(self.fd, path):  # somebody is looking whether it is held
                time.sleep(0.01)
        self.beat(force=True)

    def beat(self, *, force: bool = False) -> None:
        """Say that this process is still there; as often as one likes."""
        if not force and self.clock() - self.last < BEAT:
            return
        self.beats, self.last = self.beats + 1, self.clock()
        with suppress(OSError):  # a full disk: the lock still tells
            os.lseek(self.fd, 0, os.SEEK_SET)
            data = json.dumps({**self.facts, "beats": self.beats}).encode()
            os.ftruncate(self.fd, 0)
            write_all(self.fd, data)

    def leave(self) -> None:
        """Be gone."""
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
    """A presence seen from outside."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path, self.clock = path, clock
        self.facts: dict[str, Any] = {}
        self.beats, self.since = -1, clock()

    @property
    def local(self) -> bool:
        """Whether it is on this machine, as far as it has said."""
        return self.facts.get("host") == socket.gethostname()

    def there(self) -> bool:
        """Whether its process still lives, as far as can be seen from here."""
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
    except (OSError, ValueError):  # between two beats the file is empty for a moment
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
