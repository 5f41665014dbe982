"""The time of one call: the fastest of several rounds, because other load can only slow a round down."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable

WARM_UP = 2  # calls
ROUNDS = 5
SAMPLES = 3  # of a round, of which the median counts
SAMPLE_SECONDS = 3e-4  # the shortest sample; quicker calls are repeated
SLOW_SECONDS = 0.01  # a call that takes longer is sampled once in a round


def milliseconds(call: Callable[[], object], wait: Callable[[], None]) -> float:
    """The time of ``call`` in milliseconds; ``wait`` returns when all work is done."""
    for _ in range(WARM_UP):
        call()
    once = _seconds(call, wait, 1)
    number = max(1, min(1000, round(SAMPLE_SECONDS / max(once, 1e-9))))
    samples = SAMPLES if once < SLOW_SECONDS else 1
    fastest = math.inf
    for _ in range(ROUNDS):
        fastest = min(fastest, statistics.median(_seconds(call, wait, number) for _ in range(samples)))
    return 1e3 * fastest / number


def _seconds(call: Callable[[], object], wait: Callable[[], None], calls: int) -> float:
    wait()
    begun = time.perf_counter()
    for _ in range(calls):
        call()
    wait()
    return time.perf_counter() - begun
