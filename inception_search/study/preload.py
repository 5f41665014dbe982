"""What the server of trial processes loads once, so that none of its children has to."""

from __future__ import annotations

from inception_search.study import trial_process

__all__ = ["trial_process"]


def _load_compiler() -> None:
    """Torch loads its compiler together with the first optimiser, which takes a second."""
    import torch
    from torch.optim import SGD

    SGD([torch.zeros(1, requires_grad=True)], lr=0.1)


_load_compiler()
