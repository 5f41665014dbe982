"""Stand-ins for what only a GPU has: a recorder of its work, and its streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from inception_search.backend.recorder import Recorder, Replay
from inception_search.execution.captured import Streams

NETWORK = """
schema: inception-search/network
version: 1
name: two_modules
input: {channels: 3, height: 12, width: 12}
stages:
  stem: 3x3 8
  first:
    concat:
      - 1x1 4
      - [1x1 4, 3x3 8]
      - [avg 3x3, 1x1 4]
  second:
    concat:
      - 1x1 4
      - concat: [[1x1 2, 3x3 2], [1x1 2, 3x3 4]]
head: {classes: 5}
"""


class Again(Recorder):
    """Records by remembering the work; a replay does it again and writes the result where it was promised."""

    def warm_up(self, work: Callable[[], Tensor]) -> Tensor:
        return work()

    def record(self, work: Callable[[], Tensor]) -> tuple[Tensor, Replay]:
        result = torch.full_like(work(), torch.nan)
        return result, lambda: result.copy_(work())


class Logged(Streams):
    """Streams that compute in order, and remember which were used."""

    def __init__(self) -> None:
        super().__init__(torch.device("cpu"))
        self.log: list[str] = []

    def fork(self) -> None:
        self.log.append("fork")

    @contextmanager
    def _on(self, number: int) -> Iterator[None]:
        self.log.append(f"branch {number}")
        yield

    def join(self) -> None:
        self.log.append("join")

    def synchronize(self) -> None:
        pass
