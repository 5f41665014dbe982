"""Generated code recorded by PyTorch as a graph of oneDNN partitions.

A fused oneDNN op spends 40 to 60 microseconds of each call on descriptions of its tensors. In a recorded graph they are
made once, which saves 5 % of the time of large networks and up to 40 % of that of small ones.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

import torch
from torch import Tensor, nn

_RUNS = 3  # until the graph has been optimised
_LOCK = Lock()  # the switch is one of the whole process


def can_record() -> bool:
    """Whether the installed torch can fuse recorded graphs through oneDNN."""
    here = all(hasattr(torch._C, name) for name in ("_jit_set_llga_enabled", "_jit_llga_enabled"))
    return here and bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


def record(run: Callable[[Tensor], Tensor], images: Tensor) -> Callable[[Tensor], Tensor]:
    """``run`` as a recorded graph, for images of the shape and dtype of ``images`` and this number of threads.

    Args:
        run: code of separate calls that overwrite nothing, because only those are fused.
        images: (N, C, H, W).

    Raises:
        RuntimeError: the code cannot be recorded.
    """
    with _LOCK, warnings.catch_warnings(), _fusing():
        warnings.simplefilter("ignore")
        call = _Call(run).eval()
        traced = torch.jit.trace(call, images, check_trace=False)  # type: ignore[no-untyped-call]
        graph: Callable[[Tensor], Tensor] = torch.jit.freeze(traced)
        for _ in range(_RUNS):
            graph(images)
        return graph


class _Call(nn.Module):
    def __init__(self, run: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.run = run

    def forward(self, images: Tensor) -> Tensor:
        return self.run(images)


@contextmanager
def _fusing() -> Iterator[None]:
    """Switch fusion on for graphs that are optimised inside; those of others that are optimised later are not fused."""
    before = torch._C._jit_llga_enabled()
    torch._C._jit_set_llga_enabled(True)
    try:
        yield
    finally:
        torch._C._jit_set_llga_enabled(before)
