"""What the server of trial processes loads once, so that none of its children has to."""

from __future__ import annotations

import sys
from types import TracebackType


def _in_one_line(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What ends the server or a process before its trial begins: the search tells the rest."""
    if sys.stderr is not None:
        print(f"a trial's process cannot start: {kind.__name__}: {error}", file=sys.stderr)


sys.excepthook = _in_one_line  # before anything is loaded that may not be there

from inception_search.runner import trial_process  # noqa: E402

__all__ = ["trial_process"]


def _load_compiler() -> None:
    """Torch loads its compiler together with the first optimiser, which takes a second."""
    import torch
    from torch.optim import SGD

    SGD([torch.zeros(1, requires_grad=True)], lr=0.1)


_load_compiler()
