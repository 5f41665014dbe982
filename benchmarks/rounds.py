"""Times of several variants of one computation, taken in turn in one process, and the ratios of their medians."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

REST = 0.01  # seconds before each turn, in which the threads of the variant before it stop waiting for more work
DRAWS = 2000  # of a bootstrap interval


def interleaved(calls: Mapping[str, Callable[[], Any]], rounds: int, *, warm: bool = True) -> dict[str, list[float]]:
    """Milliseconds of every call in every round; in each round all take their turn once, in a random order.

    ``warm``: make one more call before the timed one, which brings the variant's weights back into the caches.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    order, rng = list(calls), random.Random(0)
    for _ in range(rounds):
        rng.shuffle(order)
        for name in order:
            time.sleep(REST)
            if warm:
                calls[name]()
            begun = time.perf_counter()
            calls[name]()
            times[name].append(1e3 * (time.perf_counter() - begun))
    return times


def summary(times: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    """Median, minimum and quartiles of every variant's times."""
    return {name: _spread(values) for name, values in times.items() if values}


def _spread(values: Sequence[float]) -> dict[str, float]:
    first, third = (percentile(values, share) for share in (0.25, 0.75))
    figures = {"median": statistics.median(values), "minimum": min(values), "first_quartile": first}
    return {name: round(value, 3) for name, value in (figures | {"third_quartile": third}).items()}


def ratio(slower: Sequence[float], faster: Sequence[float]) -> dict[str, float]:
    """How many times as long ``slower`` takes as ``faster``: ratio of medians, with a 95 % bootstrap interval.

    Both have one value for each round. Rounds are drawn as a whole, so that what slows a round slows both.
    """
    rng, count = random.Random(0), len(slower)
    drawn = []
    for _ in range(DRAWS):
        chosen = rng.choices(range(count), k=count)
        drawn.append(statistics.median(slower[i] for i in chosen) / statistics.median(faster[i] for i in chosen))
    figures = {"ratio": statistics.median(slower) / statistics.median(faster)}
    figures |= {"low": percentile(drawn, 0.025), "high": percentile(drawn, 0.975)}
    return {name: round(value, 3) for name, value in figures.items()}


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of ``values`` are below, between neighbours in proportion."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
