"""An exponential moving average of weights with a warm-up, so that initial weights do not affect short runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def averaged_tensors(model: nn.Module) -> list[Tensor]:
    """The averaged tensors of ``model``: trainable parameters and floating-point buffers (batch norm statistics)."""
    trained = [p.detach() for p in model.parameters() if p.requires_grad]
    return trained + [buffer for buffer in model.buffers() if buffer.is_floating_point()]


def weight_of(step: int, decay: float) -> float:
    """The weight of the newest value after ``step`` (1, 2, ...) steps: about 10 / step at first, then 1 - decay."""
    return 1 - min(decay, (1 + step) / (10 + step))


class WeightAverage:
    """Averages of the ``live`` tensors, which they initially equal. ``live`` tensors keep their memory addresses."""

    def __init__(self, live: Sequence[Tensor], decay: float) -> None:
        self.live, self.decay = list(live), decay
        self.means = [tensor.clone() for tensor in self.live]
        device = self.live[0].device if self.live else torch.device("cpu")
        # Kept on the device so that a replayed CUDA graph reads the current value.
        self.weight = torch.zeros((), device=device, dtype=torch.float32)

    def set_step(self, step: int) -> None:
        """Set the number of steps (1, 2, ...) before the next :meth:`update`."""
        self.weight.fill_(weight_of(step, self.decay))

    @torch.no_grad()
    def update(self) -> None:
        """Update the averages with the current tensors, without waiting for the GPU."""
        away = torch._foreach_sub(self.live, self.means)
        torch._foreach_mul_(away, self.weight)
        torch._foreach_add_(self.means, away)

    @torch.no_grad()
    def exchange(self) -> None:
        """Swap the values of the tensors and their averages."""
        for live, mean in zip(self.live, self.means, strict=True):
            current = live.clone()
            live.copy_(mean)
            mean.copy_(current)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Swap the averages in for the block; changes made there (norm statistics) remain in the averages."""
        self.exchange()
        try:
            yield
        finally:
            self.exchange()
