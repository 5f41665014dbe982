"""Modules that the server of trial processes imports once for all its children."""

from __future__ import annotations

import sys
from types import TracebackType


def _in_one_line(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the error that ends the server or a process before its trial; the search reports the details."""
    if sys.stderr is not None:
        print(f"a trial's process cannot start: {kind.__name__}: {error}", file=sys.stderr)


sys.excepthook = _in_one_line  # set before the imports that may fail

from inception_search.runner import trial_process  # noqa: E402

__all__ = ["trial_process"]


def _load_compiler() -> None:
    """Load torch's compiler now; the first optimizer would load it otherwise, which takes a second."""
    import torch
    from torch.optim import SGD

    SGD([torch.zeros(1, requires_grad=True)], lr=0.1)


_load_compiler()
