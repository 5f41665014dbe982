"""How many trials share one card: as many as its memory holds and as still makes the whole faster, measured."""

from __future__ import annotations

import time
from collections.abc import Callable

RESERVE = 0.1  # of the card's memory, left free: allocators keep more than they use
CONTEXT_BYTES = 600e6  # of a process on a CUDA device, before anything is on it
GAIN = 1.05  # a further trial at a time must make the whole so much faster
PER_LEVEL = 3  # trials that end at each number in flight before the next is tried


class Packing:
    """Climbs from one trial at a time to ``most``, by the images trained in a second by all together.

    ``memory`` is the card's, in bytes. Out of memory is one step back, for good.
    """

    def __init__(self, most: int, memory: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.memory, self.clock = most, memory, clock
        self.capacity, self.settled = 1, most <= 1
        self.peak = 0.0
        self.rate = 0.0  # of the level below, images a second
        self.images, self.ended, self.since = 0.0, 0, clock()

    def finished(self, images: float, peak_bytes: float) -> None:
        """A trial has ended that trained on ``images`` images and used at most ``peak_bytes`` of memory."""
        self.peak = max(self.peak, peak_bytes)
        self.images, self.ended = self.images + images, self.ended + 1
        if self.capacity > 1 and not self._fits(self.capacity):
            self._settle(max(1, self.capacity - 1))
        elif not self.settled and self.ended >= PER_LEVEL * self.capacity:
            self._judge()

    def out_of_memory(self) -> bool:
        """A trial ran out of memory; whether others were there, so that it may be tried again with fewer."""
        shared = self.capacity > 1
        self.most = max(1, self.capacity - 1)
        self._settle(self.most)
        return shared

    def _judge(self) -> None:
        """Whether this many were better than one less; if so, try one more."""
        rate = self.images / max(1e-9, self.clock() - self.since)
        if self.capacity > 1 and rate < GAIN * self.rate:
            self._settle(self.capacity - 1)
        elif self.capacity >= self.most or not self._fits(self.capacity + 1):
            self._settle(self.capacity)
        else:
            self.rate, self.capacity = rate, self.capacity + 1
            self._count_anew()

    def _settle(self, capacity: int) -> None:
        self.capacity, self.settled = min(capacity, self.most), True

    def _count_anew(self) -> None:
        self.images, self.ended, self.since = 0.0, 0, self.clock()

    def _fits(self, count: int) -> bool:
        return count * (self.peak + CONTEXT_BYTES) <= (1 - RESERVE) * self.memory
