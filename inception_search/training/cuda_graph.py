"""The optimiser step as one CUDA graph: recorded once, then replayed with a single launch.

With small networks a GPU waits for Python, which launches hundreds of short kernels one by one. A replay launches them
together. Values that change between steps are in fixed buffers: images, labels, the learning rate, the weight of the
moving average. Dropout stays random, because CUDA graphs support CUDA's generator. The first steps run eagerly on a
side stream. They are normal training steps; cuDNN chooses its kernels and the optimizer creates its state during them,
which must not happen while recording.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from inception_search.backend.recorder import Recorder, Replay
from inception_search.training.step import Work

WARM_UP = 3  # steps before the recording


class CapturedStep:
    """Steps as replays of one recording. If recording fails, steps run eagerly and a note is added."""

    def __init__(self, work: Work, device: torch.device, recorder: Recorder | None = None) -> None:
        self.work, self.recorder = work, recorder or Recorder()
        self.rate = torch.zeros((), device=device)
        self.notes: list[str] = []
        self.taken = 0
        self.replay: Replay | None = None
        self.images = self.labels = self.loss = torch.empty(0, device=device)

    def __call__(self, images: Tensor, labels: Tensor, rate: float, number: int) -> Tensor:
        """Take step ``number`` at learning rate ``rate``; the next replay overwrites the returned loss."""
        self.rate.fill_(rate)
        self.work.prepare(self.rate, number)
        self.taken += 1
        if self.taken == WARM_UP + 1:
            self._record(images, labels)
        if self.replay is None or images.shape != self.images.shape:
            return self._eager_step(images, labels)
        self.images.copy_(images)
        self.labels.copy_(labels)
        self.replay()
        return self.loss

    def _eager_step(self, images: Tensor, labels: Tensor) -> Tensor:
        self.work.optimizer.zero_grad(set_to_none=True)
        if self.taken <= WARM_UP:
            with warnings.catch_warnings():
                # An optimizer made for recordings warns at its first step that it is not recorded yet.
                warnings.filterwarnings("ignore", "This instance was constructed with capturable=True")
                return self.recorder.warm_up(lambda: self.work.run(images, labels, cache=False))
        return self.work.run(images, labels, cache=False)

    def _record(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images.clone(), labels.clone()  # clone() of a dense tensor preserves its strides
        # Gradients are None before recording, so every replay writes them instead of accumulating.
        self.work.optimizer.zero_grad(set_to_none=True)
        try:
            # Autocast must not cache casts while recording, because a replay has to cast the current weights.
            self.loss, self.replay = self.recorder.record(lambda: self.work.run(self.images, self.labels, cache=False))
        except RuntimeError as error:  # includes out of memory, because a recording needs more memory than a step
            first_line = (str(error) or type(error).__name__).splitlines()[0]
            self.notes.append(f"steps are not recorded as a CUDA graph: {first_line}")


def wants_capture(device: torch.device, capture: bool | None) -> bool:
    """Whether to record steps on ``device``: the value of ``capture``, or by default on every GPU."""
    return device.type == "cuda" if capture is None else capture
