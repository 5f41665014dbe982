"""The time of a call: the fastest of several rounds, because other load can only slow a round down."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence

WARM_UP = 2  # calls
ROUNDS = 5
SAMPLES = 3  # of a round, of which the median counts
SAMPLE_SECONDS = 3e-4  # the shortest sample; quicker calls are repeated
SLOW_SECONDS = 0.01  # a call that takes longer is sampled once in a round


def milliseconds(calls: Sequence[Callable[[], object]], wait: Callable[[], None], rounds: int = ROUNDS) -> list[float]:
    """The times of calls in milliseconds, measured by turns, so that other load slows all of them alike.

    Args:
        calls: functions without arguments; nothing waits for the device between repeated calls, as in a network.
        wait: returns when the device has done all work.
        rounds: the number of rounds.

    Returns:
        The time of one call of each.
    """
    for call in calls:
        for _ in range(WARM_UP):
            call()
    once = [_seconds(call, wait, 1) for call in calls]
    numbers = [max(1, min(1000, round(SAMPLE_SECONDS / max(seconds, 1e-9)))) for seconds in once]
    samples = SAMPLES if max(once) < SLOW_SECONDS else 1
    fastest = [math.inf for _ in calls]
    for _ in range(rounds):
        for index, (call, number) in enumerate(zip(calls, numbers, strict=True)):
            found = statistics.median(_seconds(call, wait, number) for _ in range(samples))
            fastest[index] = min(fastest[index], 1e3 * found / number)
    return fastest


def _seconds(call: Callable[[], object], wait: Callable[[], None], calls: int) -> float:
    wait()
    begun = time.perf_counter()
    for _ in range(calls):
        call()
    wait()
    return time.perf_counter() - begun
