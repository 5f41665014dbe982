"""Recomputation of batch norm statistics before an evaluation.

Running averages lag behind: after one short epoch they do not fit the current weights. With the momentum of some
published networks (0.0003) this is still true after a hundred epochs, and the validation curve of a good network looks
like noise. Recomputing them on a few hundred training images takes a few per cent of an epoch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Generator, Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from inception_search.data.loader import DeviceData
from inception_search.training.evaluate import autocast
from inception_search.training.fidelity import Precision

_BATCH = 128


def refresh_norm_statistics(
    model: nn.Module,
    data: DeviceData,
    *,
    images: int,
    generator: Generator,
    precision: Precision = "float32",
    compute: nn.Module | None = None,
) -> None:
    """Set every batch norm's running mean and variance to their averages over ``images`` training images.

    The images are not augmented. All other modules are in eval mode during this, and all modes and momenta are
    restored. Batch norms without running statistics do not change. ``compute`` is what computes the output of the model
    (default: the model itself).
    """
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm) and m.running_mean is not None]
    if not norms or images < 2:  # one image has no variance
        return
    modes = {module: module.training for module in model.modules()}
    momenta = [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.train()
    try:
        with torch.no_grad(), autocast(data.device, precision):
            for i, batch in enumerate(_batches(data.train_sample(images, generator))):
                for norm in norms:
                    norm.momentum = 1 / (i + 1)
                (compute or model)(batch)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for module, mode in modes.items():
            module.training = mode


@contextmanager
def uncounted(model: nn.Module, passes: Callable[[], int]) -> Iterator[None]:
    """Disable the batch counters of batch norms in training mode, and add ``passes()`` to them at the end.

    These additions are a third of the kernels in a training step of a small network, but their results are not used.
    Batch norms with momentum None use them, and keep counting.
    """
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm) and m.training and m.momentum is not None]
    counters = {norm: norm.num_batches_tracked for norm in norms if norm.num_batches_tracked is not None}
    for norm in counters:
        norm.num_batches_tracked = None
    try:
        yield
    finally:
        for norm, counter in counters.items():
            norm.num_batches_tracked = counter.add_(passes())


def _batches(images: Tensor) -> Sequence[Tensor]:
    """``images`` in batches of about equal size, because a remainder of one image would have no variance."""
    return torch.tensor_split(images, math.ceil(len(images) / _BATCH))
