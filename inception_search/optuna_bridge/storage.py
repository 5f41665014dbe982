"""The storages of Optuna studies: one that the user names by URL, and the journal in a run folder."""

from __future__ import annotations

import json
import math
import re
import time
import weakref
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import RDBStorage

from inception_search.credentials import MASK
from inception_search.errors import (
    ConfigError,
    InceptionSearchError,
    MissingRequirementError,
    Place,
    RunFolderError,
    raw,
)
from inception_search.extras import install
from inception_search.optuna_bridge.storage_url import NEEDED, StorageUrl
from inception_search.store.jsonl import append_lines, complete_lines, sync_file

NAME = "inception-search"
CONNECT = 5.0  # timeout in seconds for connecting to a server; the search waits meanwhile
PGDRIVERS = ("psycopg", "psycopg2")
# A connection to a machine that no longer responds ends within half a minute; the search waits meanwhile.
_LIBPQ = {
    "connect_timeout": int(CONNECT),
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
# The drivers' names for their time limits; other drivers keep their default.
_TIME_LIMITS: dict[str, dict[str, int]] = {
    "sqlite": {"timeout": int(CONNECT)},
    "mysql": {"connect_timeout": int(CONNECT)},
    **{f"postgresql+{driver}": _LIBPQ for driver in PGDRIVERS},
}


_HINT = "start the server, correct the URL, or omit storage; the run folder is complete without it"
_HINTS = {
    "password authentication failed": "correct the user or the password of the URL",
    "no password supplied": f"no password was found: {NEEDED}",
    'database ".*" does not exist': "create it (createdb --owner=USER DATABASE), or correct its name in the URL",
    "permission denied": "make the user the owner of the database (ALTER DATABASE name OWNER TO user)",
    "^(Import|ModuleNotFound)Error": "install this driver, or name an installed one, such as postgresql+psycopg://",
}
"""Likely fixes, by a pattern of the driver's message."""


def open_storage(url: str) -> Any:
    """The storage at ``url``; raises the errors of Optuna and of the server's driver."""
    url = with_driver(StorageUrl(url).whole or url)
    dialect = url.partition(":")[0]
    limit = _TIME_LIMITS.get(dialect) or _TIME_LIMITS.get(dialect.partition("+")[0], {})
    return optuna.storages.get_storage(_Storage(url, engine_kwargs={"connect_args": limit, "pool_pre_ping": True}))


class _Storage(RDBStorage):
    """Optuna's storage, whose connections are closed with the last reference to it, or if it cannot be opened."""

    def __init__(self, url: str, engine_kwargs: dict[str, Any]) -> None:
        try:
            super().__init__(url, engine_kwargs=engine_kwargs)
        except Exception:
            if hasattr(self, "engine"):
                self.engine.dispose()
            raise
        weakref.finalize(self, self.engine.dispose)


def with_driver(url: str) -> str:
    """``url``, with the name of the installed driver if it is a PostgreSQL URL without one.

    SQLAlchemy's own choice depends on its version, not on what is installed.
    Raises MissingRequirementError if neither is installed.
    """
    scheme, separator, rest = url.partition("://")
    if scheme not in ("postgresql", "postgres"):
        return url
    driver = next((name for name in PGDRIVERS if find_spec(name)), None)
    if driver is None:
        raise MissingRequirementError(
            f"the Optuna storage at {StorageUrl(url)} needs a driver of PostgreSQL", hint=install("postgresql")
        )
    return f"postgresql+{driver}{separator}{rest}"


def check_storage(url: str | None) -> None:
    """Raise ConfigError if the storage of a new study cannot be opened."""
    if url is None:
        return
    try:
        open_storage(url)
    except InceptionSearchError:
        raise
    except Exception as error:  # every driver has its own error classes
        raise does_not_open(url, error) from None


def does_not_open(url: str, error: Exception) -> ConfigError:
    """The error for a storage that cannot be used, without its password."""
    known, cause = StorageUrl(url), error
    while cause.__cause__ is not None and isinstance(cause.__cause__, Exception):
        cause = cause.__cause__  # Optuna's own sentence does not contain the driver's reason
    found = raw(known.hide(str(first_line(cause))))
    hint = next((text for words, text in _HINTS.items() if re.search(words, found)), _HINT)
    if MASK in known and known.whole == known.bare:
        hint = f"no password was found: {NEEDED}"
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
