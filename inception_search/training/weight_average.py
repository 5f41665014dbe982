"""An exponential moving average of weights, warmed up so that short runs do not average their beginning in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def averaged_tensors(model: nn.Module) -> list[Tensor]:
    """What an average of ``model`` covers: what trains, and buffers of real numbers (batch norm statistics)."""
    trained = [p.detach() for p in model.parameters() if p.requires_grad]
    return trained + [buffer for buffer in model.buffers() if buffer.is_floating_point()]


def weight_of(step: int, decay: float) -> float:
    """The weight of the newest value after ``step`` (1, 2, ...) steps: about 10 / step at first, then 1 - decay."""
    return 1 - min(decay, (1 + step) / (10 + step))


class WeightAverage:
    """Averages of ``live`` tensors, which stay where they are in memory; they start as copies of them."""

    def __init__(self, live: Sequence[Tensor], decay: float) -> None:
        self.live, self.decay = list(live), decay
        self.means = [tensor.clone() for tensor in self.live]
        device = self.live[0].device if self.live else torch.device("cpu")
        # On the device, so that a recorded step reads the number of the day.
        self.weight = torch.zeros((), device=device, dtype=torch.float32)

    def set_step(self, step: int) -> None:
        """Say that the next :meth:`update` is that after ``step`` (1, 2, ...) steps."""
        self.weight.fill_(weight_of(step, self.decay))

    @torch.no_grad()
    def update(self) -> None:
        """Move the averages towards the tensors; nothing here waits for a GPU."""
        away = torch._foreach_sub(self.live, self.means)
        torch._foreach_mul_(away, self.weight)
        torch._foreach_add_(self.means, away)

    @torch.no_grad()
    def exchange(self) -> None:
        """Put the averages into the tensors and the tensors' values into the averages."""
        for live, mean in zip(self.live, self.means, strict=True):
            kept = live.clone()
            live.copy_(mean)
            mean.copy_(kept)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The averages in the tensors meanwhile; what is changed there (norm statistics) is the averages' own."""
        self.exchange()
        try:
            yield
        finally:
            self.exchange()
