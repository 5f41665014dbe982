"""The optimiser step as one CUDA graph: recorded once, then replayed with a single launch.

Small networks leave a GPU waiting for Python, which launches their hundreds of short kernels one by one. A replay
launches them all at once. What changes from step to step lies in buffers that stay where they are: images, labels,
the learning rate, the weight of the moving average. Dropout stays random, because CUDA's own generator takes part
in replays. The first steps are taken as usual, on a stream of their own: they are training steps, and they let
cuDNN choose its kernels and the optimizer make its state, which must not happen while recording.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from inception_search.training.step import Work

WARM_UP = 3  # steps before the recording
Replay = Callable[[], object]


class Recorder:
    """How work on a CUDA device is warmed up and recorded; tests put another in its place."""

    def warm_up(self, work: Callable[[], Tensor]) -> Tensor:
        """Do ``work`` on another stream than the current one, in order with it."""
        current, aside = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(current)
        with torch.cuda.stream(aside):
            result = work()
        current.wait_stream(aside)
        return result

    def record(self, work: Callable[[], Tensor]) -> tuple[Tensor, Replay]:
        """``work`` recorded, not done: the tensor for its result, and what does it. RuntimeError if it cannot be."""
        graph = torch.cuda.CUDAGraph()
        # thread_local: what other threads of this process do with the GPU does not spoil the recording.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            result = work()
        return result, graph.replay


class CapturedStep:
    """Steps that are replays of one recording; taken as usual, with a note, when that cannot be made."""

    def __init__(self, work: Work, device: torch.device, recorder: Recorder | None = None) -> None:
        self.work, self.recorder = work, recorder or Recorder()
        self.rate = torch.zeros((), device=device)
        self.notes: list[str] = []
        self.taken = 0
        self.replay: Replay | None = None
        self.images = self.labels = self.loss = torch.empty(0, device=device)

    def __call__(self, images: Tensor, labels: Tensor, rate: float, number: int) -> Tensor:
        """Step ``number`` at learning rate ``rate``; the loss lies where the next replay writes its own."""
        self.rate.fill_(rate)
        self.work.prepare(self.rate, number)
        self.taken += 1
        if self.taken == WARM_UP + 1:
            self._record(images, labels)
        if self.replay is None or images.shape != self.images.shape:
            return self._as_usual(images, labels)
        self.images.copy_(images)
        self.labels.copy_(labels)
        self.replay()
        return self.loss

    def _as_usual(self, images: Tensor, labels: Tensor) -> Tensor:
        self.work.optimizer.zero_grad(set_to_none=True)
        if self.taken <= WARM_UP:
            return self.recorder.warm_up(lambda: self.work.run(images, labels, cache=False))
        return self.work.run(images, labels, cache=False)

    def _record(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images.clone(), labels.clone()  # the clone of a dense tensor keeps its strides
        # Without gradients to add to, the recording writes them anew in every replay.
        self.work.optimizer.zero_grad(set_to_none=True)
        try:
            # Autocast must not keep casts made while recording: a replay has to cast the weights of its day.
            self.loss, self.replay = self.recorder.record(lambda: self.work.run(self.images, self.labels, cache=False))
        except RuntimeError as error:  # out of memory is one too: a recording holds more than a step
            first_line = (str(error) or type(error).__name__).splitlines()[0]
            self.notes.append(f"steps are not recorded as a CUDA graph: {first_line}")


def wants_capture(device: torch.device, capture: bool | None) -> bool:
    """Whether steps on ``device`` are to be recorded: as asked for, by default on every GPU."""
    return device.type == "cuda" if capture is None else capture
