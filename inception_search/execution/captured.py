"""Generated code on a GPU: one CUDA graph for the whole network, with the branches of concatenations on own streams.

A small network leaves a GPU waiting for Python, and a single branch leaves most of it idle. A recorded graph is
launched at once, and forked streams let it compute independent branches at the same time (Opara, 2312.10351; IOS,
2011.01302, "greedy"). Where branches are tiny, forking costs more than it saves, so every concatenation is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import Lock

import torch
from torch import Tensor

from inception_search.backend.recorder import Recorder, Replay
from inception_search.execution.branches import Fork

Run = Callable[[Tensor], Tensor]
_WARM_UP, _REPLAYS = 3, 20
_LEAST_GAIN = 0.01  # a fork that saves less than this share of the network's time is not used


class Streams:
    """The streams that generated code forks; tests replace it."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.sides: dict[int, torch.cuda.Stream] = {}
        self.used: list[torch.cuda.Stream] = []

    def fork(self) -> None:
        """Let the streams of branches that follow wait for what was launched so far."""
        self.begun = torch.cuda.current_stream(self.device).record_event()
        self.used = []

    def branch(self, number: int) -> AbstractContextManager[None]:
        """The stream of branch ``number`` (1, 2, ...) for the calls inside."""
        return self._on(number)

    @contextmanager
    def _on(self, number: int) -> Iterator[None]:
        side = self.sides.setdefault(number, torch.cuda.Stream(self.device))  # type: ignore[no-untyped-call]
        if side not in self.used:
            side.wait_event(self.begun)
            self.used.append(side)
        with torch.cuda.stream(side):
            yield

    def join(self) -> None:
        """Let the calls that follow wait for all branches."""
        for side in self.used:
            torch.cuda.current_stream(self.device).wait_stream(side)

    def synchronize(self) -> None:
        """Wait for the device."""
        torch.cuda.synchronize(self.device)


class Captured:
    """Generated code as a recorded graph, for images of one shape.

    Args:
        run: the code.
        images: (N, C, H, W) on the device, channels_last.
        recorder: records work; tests replace it.
    """

    def __init__(self, run: Run, images: Tensor, recorder: Recorder | None = None) -> None:
        self.images = images.clone(memory_format=torch.channels_last)
        recorder = recorder or Recorder()
        for _ in range(_WARM_UP):  # cuDNN chooses its kernels, which must not happen while recording
            recorder.warm_up(lambda: run(self.images))
        self._lock, self._done = Lock(), None
        self.output: Tensor
        self.replay: Replay
        self.output, self.replay = recorder.record(lambda: run(self.images))

    def __call__(self, images: Tensor) -> Tensor:
        """The output for ``images``, which the next call does not overwrite; other threads and streams wait."""
        with self._lock:
            if self._done is not None:
                torch.cuda.current_stream(images.device).wait_event(self._done)
            self.images.copy_(images)
            self.replay()
            output = self.output.clone()
            self._done = torch.cuda.current_stream(images.device).record_event() if images.is_cuda else None
        return output


def choose_forks(
    make: Callable[[Sequence[Fork]], Captured],
    forks: Sequence[Fork],
    settle: Callable[[], None],
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Captured, list[Fork]]:
    """The recorded graph with those forks that save time, and these forks.

    Args:
        make: records the network with some forks; raises RuntimeError if it cannot be recorded with them.
        forks: the forks that are possible; each is tried once, in order, together with those that were kept.
        settle: waits for the device.
        clock: the time in seconds.
    """
    kept: list[Fork] = []
    best = make(kept)
    least = _seconds(best, settle, clock)
    for fork in forks:
        try:
            captured = make([*kept, fork])
        except RuntimeError:  # it cannot be recorded with this fork, or gives another result
            continue
        seconds = _seconds(captured, settle, clock)
        if seconds < least * (1 - _LEAST_GAIN):
            best, least = captured, seconds
            kept.append(fork)
    return best, kept


def _seconds(captured: Captured, settle: Callable[[], None], clock: Callable[[], float]) -> float:
    settle()
    begun = clock()
    for _ in range(_REPLAYS):
        captured.replay()
    settle()
    return clock() - begun
