"""What the tests of a run folder share: processes that can be killed, disks that fail, records to store."""

import os
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from inception_search.store.record import TrialRecord


@pytest.fixture
def fork() -> Iterator[Callable[[Callable[[], None]], int]]:
    """Run a function in a forked process and return its id; what is left at the end of the test is killed."""
    children: list[int] = []

    def start(work: Callable[[], None]) -> int:
        with warnings.catch_warnings():  # newer Pythons warn of forking beside threads; the child uses none
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid:
            children.append(pid)
            return pid
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)

    yield start
    for pid in children:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


class FaultyDisk:
    """Makes the n-th call into the system fail; ``calls`` counts those seen, ``failed`` says whether it came."""

    CALLS = ("open", "write", "fsync", "ftruncate", "replace")

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.calls = 0
        self.failed = False

    @contextmanager
    def fails(
        self, code: int, *, at: int = 1, calls: tuple[str, ...] = CALLS, for_good: bool = False
    ) -> Iterator[None]:
        """Fail with ``code`` the ``at``-th of ``calls``, and ``for_good`` all after it."""
        self.calls, self.failed = 0, False
        with self._monkeypatch.context() as patch:
            for name in calls:
                patch.setattr(os, name, self._faulty(name, getattr(os, name), code, at, for_good))
            yield

    def _faulty(self, name: str, real: Any, code: int, at: int, for_good: bool) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls == at or (for_good and self.calls > at):
                self.failed = True
                if name == "write":  # a full disk takes a part first
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                raise OSError(code, os.strerror(code))
            return real(*args, **kwargs)

        return call


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FaultyDisk:
    return FaultyDisk(monkeypatch)


FACTS: dict[str, Any] = {
    "number": 0,
    "state": "complete",
    "origin": "sampled",
    "arch_id": "a1-0123456789abcdef",
    "network": {"schema": "inception-search/network", "stages": {"stem": ["3x3 32"]}},
    "holes": {"width": 64, "factor": "row_col", "scale": 0.1, "residual": True},
    "cost": {"params": 1200, "macs": 34000, "activation_bytes": 5000, "depth": 7},
    "value": 0.75,
    "seed": 3,
    "seconds": 1.5,
    "started": "2025-01-31T12:00:00+00:00",
}


@pytest.fixture
def make_record() -> Callable[..., TrialRecord]:
    """A complete trial, or with the given fields another one."""
    return lambda **changes: TrialRecord.model_validate({**FACTS, **changes})


@pytest.fixture
def facts() -> dict[str, Any]:
    """The fields of a complete trial, to be spoilt."""
    return dict(FACTS)
