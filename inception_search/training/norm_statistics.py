"""Batch norm statistics measured afresh before an evaluation.

Running averages lag: after one short epoch they hardly describe the weights they stand beside (with the
momentum of some published networks, 0.0003, not after a hundred), and the validation curve of a good network
looks like noise. Measuring them on a few hundred training images costs a few per cent of an epoch.
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
    model: nn.Module, data: DeviceData, *, images: int, generator: Generator, precision: Precision = "float32"
) -> None:
    """Set every batch norm's running mean and variance to their averages over ``images`` training images.

    The images are drawn without augmentation; everything else of the model is in eval mode meanwhile, and all
    modes and momenta are put back. Batch norms that keep no running statistics are left alone.
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
                model(batch)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for module, mode in modes.items():
            module.training = mode


@contextmanager
def uncounted(model: nn.Module, passes: Callable[[], int]) -> Iterator[None]:
    """Let batch norms in training mode not count their batches: ``passes()`` is added to the counts at the end.

    A third of the kernels of a small network's training step are these additions, which nothing reads. Batch norms
    whose momentum is None do read them, and go on counting.
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
    """``images`` in about equal batches: a leftover of one image would have no variance."""
    return torch.tensor_split(images, math.ceil(len(images) / _BATCH))
