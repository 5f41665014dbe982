"""The storages of Optuna studies: one that the user names by URL, and the journal in a run folder."""

from __future__ import annotations

import json
import math
import re
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import RDBStorage

from inception_search.credentials import MASK
from inception_search.errors import ConfigError, Place, RunFolderError, raw
from inception_search.optuna_bridge.storage_url import NEEDED, StorageUrl
from inception_search.store.jsonl import append_lines, complete_lines, sync_file

NAME = "inception-search"
CONNECT = 5.0  # timeout in seconds for connecting to a server; the search waits meanwhile
# The drivers' names for this timeout; other drivers keep their default.
_TIME_LIMITS = {"sqlite": "timeout", "postgresql": "connect_timeout", "mysql": "connect_timeout"}


def open_storage(url: str) -> Any:
    """The storage at ``url``; raises the errors of Optuna and of the server's driver.

    Its connections are closed with the last reference to it, because Optuna leaves them open.
    """
    url = StorageUrl(url).whole or url
    dialect = re.split(r"[+:]", url, maxsplit=1)[0]
    limit = {_TIME_LIMITS[dialect]: int(CONNECT)} if dialect in _TIME_LIMITS else {}
    storage = RDBStorage(url, engine_kwargs={"connect_args": limit, "pool_pre_ping": True})
    weakref.finalize(storage, storage.engine.dispose)
    return optuna.storages.get_storage(storage)


def check_storage(url: str | None) -> None:
    """Raise ConfigError if the storage of a new study cannot be opened."""
    if url is None:
        return
    try:
        open_storage(url)
    except Exception as error:  # every driver has its own error classes
        raise does_not_open(url, error) from None


def does_not_open(url: str, error: Exception) -> ConfigError:
    """The error for a storage that cannot be used, without its password."""
    known = StorageUrl(url)
    hint = "start the server, correct the URL, or omit storage; the run folder is complete without it"
    if MASK in known and known.whole == known.bare:
        hint = f"no password was found: {NEEDED}"
    found = raw(known.hide(str(first_line(error))))
    return ConfigError(f"the Optuna storage at {known} cannot be opened", path="storage", found=found, hint=hint)


def new_name(path: Path, token: str) -> str:
    """A name for a new study: that of the folder and a unique token."""
    return f"{NAME}: {path.name} {token[:8]}"


def first_line(error: Exception) -> str:
    """The class of an error and the first line of its message, to be shown unescaped."""
    return raw(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")


class JournalBackend:
    """An append-only log of storage operations, one JSON object per line, shared by any number of processes.

    For ``optuna.storages.JournalStorage(JournalBackend(path))``. Optuna's own file backend cannot recover from one
    torn line, and blocks when a process dies holding its lock.

    Raises :class:`RunFolderError` or :class:`StorageFullError`; a rejected operation has no effect.
    """

    def __init__(self, path: str | Path, *, delay: float = 0.0) -> None:
        """``delay``: the longest time in seconds between two writes to disk while operations are appended.

        A power cut loses at most the operations of this time; a kill of the process loses none.
        """
        self._path = Path(path)
        self._delay, self._synced, self._dirty = delay, -math.inf, False
        self._starts = [0]  # byte offset of each known log; the last entry is the end of the known part
        if not self._path.exists():  # an existing journal on a read-only disk can still be read
            append_lines(self._path, [])

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """The logs from number ``log_number_from`` (counted from 0) on; only new bytes are read."""
        first = min(log_number_from, len(self._starts) - 1)
        lines = complete_lines(self._path, self._starts[first])
        return self._decoded(first, lines, log_number_from)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append all ``logs``, or none of them; durably, except within ``delay`` of the last write to disk."""
        durable = time.monotonic() - self._synced >= self._delay
        lines = [json.dumps(log, separators=(",", ":")) for log in logs]
        append_lines(self._path, lines, create=False, durable=durable)
        self._dirty = not durable
        if durable:
            self._synced = time.monotonic()

    def sync(self) -> None:
        """Write the appended operations to disk."""
        if self._dirty:
            sync_file(self._path)
            self._dirty = False

    def _decoded(self, first: int, lines: list[bytes], start: int) -> Iterator[dict[str, Any]]:
        for number, line in enumerate(lines, start=first):
            log = self._decode(number, line)
            if number + 1 == len(self._starts):
                self._starts.append(self._starts[number] + len(line) + 1)
            if number >= start:
                yield log

    def _decode(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            log = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError):
            log = None
        if not isinstance(log, dict):
            raise RunFolderError(
                "the journal is damaged: this line is not a JSON object",
                place=Place(str(self._path), number + 1),
                found=line[:60],
                hint="empty the file and resume: it is recreated from trials.jsonl, which has every record",
            )
        return log
