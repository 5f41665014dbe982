"""Recording of work on a GPU as one CUDA graph, which a single launch replays; tests replace the recorder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property

import torch
from torch import Tensor

Replay = Callable[[], object]


@contextmanager
def fastest_kernels() -> Iterator[None]:
    """Inside, cuDNN times its kernels for every new shape and takes the fastest; a recording keeps that choice."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


class Recorder:
    """Warm-up and recording of work on the current CUDA device, on a stream of its own; tests replace it.

    Torch's default stream for recordings belongs to the device that was recorded first, and all threads share it.
    """

    @cached_property
    def stream(self) -> torch.cuda.Stream:
        """The stream, made when it is first used."""
        return torch.cuda.Stream()  # type: ignore[no-untyped-call]

    def warm_up(self, work: Callable[[], Tensor]) -> Tensor:
        """Run ``work`` on the stream, synchronised with the current stream before and after."""
        current = torch.cuda.current_stream()
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            result = work()
        current.wait_stream(self.stream)
        return result

    def record(self, work: Callable[[], Tensor]) -> tuple[Tensor, Replay]:
        """Record ``work`` without running it: the tensor for its result, and the replay. Raises RuntimeError."""
        graph = torch.cuda.CUDAGraph()
        # thread_local: work of other threads on the GPU does not invalidate the recording.
        with torch.cuda.graph(graph, stream=self.stream, capture_error_mode="thread_local"):
            result = work()
        return result, graph.replay
