"""The number of trials on one GPU: as many as fit in memory and increase the measured throughput."""

from __future__ import annotations

import time
from collections.abc import Callable

RESERVE = 0.1  # the share of GPU memory left free, because allocators reserve more than they use
CONTEXT_BYTES = 600e6  # memory of a process's CUDA context
GAIN = 1.05  # the minimum gain in throughput from a further concurrent trial
PER_LEVEL = 3  # trials that must end at each level of concurrency before the next level is tried


class Packing:
    """Increases the number of concurrent trials from one to ``most``, judged by their total images per second.

    ``memory`` is that of the GPU in bytes. Running out of memory permanently reduces the number by one.
    """

    def __init__(self, most: int, memory: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.memory, self.clock = most, memory, clock
        self.capacity, self.settled = 1, most <= 1
        self.peak = 0.0
        self.rate = 0.0  # images per second at the level below
        self.images, self.ended, self.since = 0.0, 0, clock()

    def finished(self, images: float, peak_bytes: float) -> None:
        """Record the end of a trial that trained on ``images`` images and used ``peak_bytes`` of memory at its peak."""
        self.peak = max(self.peak, peak_bytes)
        self.images, self.ended = self.images + images, self.ended + 1
        if self.capacity > 1 and not self._fits(self.capacity):
            self._settle(max(1, self.capacity - 1))
        elif not self.settled and self.ended >= PER_LEVEL * self.capacity:
            self._judge()

    def out_of_memory(self) -> bool:
        """Record that a trial ran out of memory; returns whether others ran beside it, so that a retry may succeed."""
        shared = self.capacity > 1
        self.most = max(1, self.capacity - 1)
        self._settle(self.most)
        return shared

    def _judge(self) -> None:
        """Compare this level with the one below; if it is faster, try the next level."""
        rate = self.images / max(1e-9, self.clock() - self.since)
        if self.capacity > 1 and rate < GAIN * self.rate:
            self._settle(self.capacity - 1)
        elif self.capacity >= self.most or not self._fits(self.capacity + 1):
            self._settle(self.capacity)
        else:
            self.rate, self.capacity = rate, self.capacity + 1
            self._reset_count()

    def _settle(self, capacity: int) -> None:
        self.capacity, self.settled = min(capacity, self.most), True

    def _reset_count(self) -> None:
        self.images, self.ended, self.since = 0.0, 0, self.clock()

    def _fits(self, count: int) -> bool:
        return count * (self.peak + CONTEXT_BYTES) <= (1 - RESERVE) * self.memory
