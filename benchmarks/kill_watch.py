"""What a kill campaign sees from outside: files that arrive (inotify), processes below a program (/proc)."""

from __future__ import annotations

import ctypes
import os
import struct
import threading
import time
from collections import Counter
from pathlib import Path

_MOVED_TO = 0x80
_EVENT = struct.Struct("iIII")


class Arrivals:
    """Counts the files that are renamed into some folders, and when: a result or a state is written in one step."""

    def __init__(self, *folders: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_CLOEXEC)
        self.names = {libc.inotify_add_watch(self.fd, bytes(folder), _MOVED_TO): folder.name for folder in folders}
        self.counts: Counter[str] = Counter()
        self.times: list[float] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            data = os.read(self.fd, 1 << 16)
            now, at = time.monotonic(), 0
            while at < len(data):
                watch, _, _, size = _EVENT.unpack_from(data, at)
                name = data[at + _EVENT.size : at + _EVENT.size + size].rstrip(b"\0").decode()
                self.counts[f"{self.names.get(watch, '?')}/{name}"] += 1
                self.times.append(now)
                at += _EVENT.size + size

    def finished(self) -> dict[int, int]:
        """How often the result of each trial was written: a training that came to its end."""
        found = {path: count for path, count in self.counts.items() if path.startswith("results/")}
        return {int(Path(path).stem): count for path, count in found.items() if path.endswith(".json")}


def children(pid: int) -> list[int]:
    """The processes that ``pid`` has started and that are there."""
    try:  # each thread has children of its own
        return [int(word) for task in Path(f"/proc/{pid}/task").iterdir() for word in _children(task)]
    except OSError:
        return []


def _children(task: Path) -> list[str]:
    return (task / "children").read_text().split()


def family(pid: int) -> list[int]:
    """A process and all below it."""
    return [pid, *(each for child in children(pid) for each in family(child))]


def servers(program: int) -> list[int]:
    """The servers a search or worker program forks its trials from."""
    return [pid for pid in children(program) if b"multiprocessing.forkserver" in _command(pid)]


def trials(program: int) -> list[int]:
    """The processes of its trials."""
    return [pid for server in servers(program) for pid in children(server)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
