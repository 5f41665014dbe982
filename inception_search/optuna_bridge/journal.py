"""The file behind Optuna's journal storage: ``optuna.storages.JournalStorage(JournalBackend(path))``.

Optuna's own file backend is broken for good by one torn line and stalls when a process dies with its lock.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inception_search.errors import Place, RunFolderError
from inception_search.store.jsonl import append_lines, complete_lines


class JournalBackend:
    """An append-only log of storage operations, one JSON object a line, shared by any number of processes.

    Raises :class:`RunFolderError` or :class:`StorageFullError`; an operation that was refused has no effect.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._starts = [0]  # byte where each known log begins; the last entry is the end of the known part
        if not self._path.exists():  # an existing one may be on a read-only disk, and can still be read
            append_lines(self._path, [])

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """The logs from number ``log_number_from`` (counted from 0) on; only new bytes are read."""
        first = min(log_number_from, len(self._starts) - 1)
        lines = complete_lines(self._path, self._starts[first])
        return self._decoded(first, lines, log_number_from)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append all ``logs`` durably, or none of them."""
        append_lines(self._path, [json.dumps(log, separators=(",", ":")) for log in logs], create=False)

    def _decoded(self, first: int, lines: list[bytes], wanted: int) -> Iterator[dict[str, Any]]:
        for number, line in enumerate(lines, start=first):
            log = self._decode(number, line)
            if number + 1 == len(self._starts):
                self._starts.append(self._starts[number] + len(line) + 1)
            if number >= wanted:
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
                hint="empty the file and resume: it is made anew from trials.jsonl, which has every record",
            )
        return log
