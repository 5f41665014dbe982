"""Bounds against what never returns, and counts of steps.

No test measures how fast something is: beside other work, a machine takes several times as long.  What must not be
slow is counted in steps, and what must end at all gets far more time than it needs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SECONDS = 30.0  # of this process, or of waiting: what takes hundredths where it is right
PATIENCE = 120.0  # seconds to wait for another program, which imports torch on a busy machine


@contextmanager
def bounded(seconds: float = SECONDS, clock: Callable[[], float] = time.process_time) -> Iterator[None]:
    """The block ends within ``seconds`` of ``clock``: of computing, or with ``time.monotonic`` of waiting."""
    begun = clock()
    yield
    assert clock() - begun < seconds


@contextmanager
def few_calls(most: int) -> Iterator[None]:
    """The block calls at most ``most`` functions; stopped where it calls more."""
    calls = 0

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")
        assert calls <= most, f"more than {most} calls"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)
