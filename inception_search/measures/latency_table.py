"""A cache of measured op latencies, in memory and in a JSON file that processes may share."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from inception_search.errors import RunFolderError, warn
from inception_search.numbers import is_finite
from inception_search.store.atomic import write_atomic

SCHEMA = "inception-search/latency"
VERSION = 1


class LatencyTable:
    """Milliseconds by key. If the file cannot be used, one warning is given and only memory is used."""

    def __init__(self, file: Path) -> None:
        self.file: Path | None = file
        self.known: dict[str, float] = self._read()
        self.new: dict[str, float] = {}

    def get(self, key: str) -> float | None:
        """The cached latency, or None."""
        return self.known.get(key)

    def put(self, key: str, milliseconds: float) -> None:
        """Store a latency in memory; :meth:`save` writes it to the file."""
        self.known[key] = self.new[key] = milliseconds

    def save(self) -> None:
        """Add new latencies to the file; of a key that another process has added, its latency counts from now on."""
        if self.file is None or not self.new:
            return
        self.known |= self._read()
        data = {"schema": SCHEMA, "version": VERSION, "milliseconds": dict(sorted(self.known.items()))}
        try:
            if self.file is not None:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(self.file, json.dumps(data, indent=1) + "\n")
        except (OSError, RunFolderError) as error:
            self._give_up(f"cannot be written ({error.strerror if isinstance(error, OSError) else error.rule})")
        self.new = {}

    def _read(self) -> dict[str, float]:
        if self.file is None:
            return {}
        try:
            return _milliseconds(json.loads(self.file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._give_up(f"cannot be read ({error.strerror})")
        except (ValueError, RecursionError):
            self._warn("is damaged and will be replaced")
        return {}

    def _give_up(self, what: str) -> None:
        self._warn(f"{what}: latencies are kept in memory only")
        self.file = None

    def _warn(self, what: str) -> None:
        warn(f"the latency cache {self.file} {what}")


def default_file() -> Path:
    """``inception-search/latency.json`` in the user's cache folder (``$XDG_CACHE_HOME``, or ``~/.cache``)."""
    configured = os.environ.get("XDG_CACHE_HOME", "")
    folder = Path(configured) if Path(configured).is_absolute() else Path.home() / ".cache"
    return folder / "inception-search" / "latency.json"


@lru_cache(maxsize=16)
def table(file: Path) -> LatencyTable:
    """The table of ``file``; there is one per file in a process."""
    return LatencyTable(file)


def _milliseconds(data: Any) -> dict[str, float]:
    """The latencies in a cache file; raises ValueError for other content."""
    if not isinstance(data, dict) or (data.get("schema"), data.get("version")) != (SCHEMA, VERSION):
        raise ValueError("not a latency cache")
    found = data.get("milliseconds")
    if not isinstance(found, dict) or not all(_is_latency(value) for value in found.values()):
        raise ValueError("no latencies")
    return {key: float(value) for key, value in found.items()}


def _is_latency(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and is_finite(value) and value >= 0
