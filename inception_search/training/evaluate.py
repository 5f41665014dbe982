"""Loss and accuracy of a network on one split."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inception_search.backend.fold_norms import FoldedNorms
from inception_search.data.loader import Batch, DeviceData
from inception_search.training.fidelity import Precision

# Images at a time. On a CPU with 16 MiB of cache a core, networks of 28x28 pixels take up to a quarter longer with 512:
# what one layer made has left the cache before the next one reads it. Those of 14x14 take longer with 64: more calls.
_BATCH = 256


@dataclass(frozen=True)
class Metrics:
    """Mean cross-entropy in nats (no smoothing), share of right answers 0..1, and the number of images."""

    loss: float
    accuracy: float
    n: int


def evaluate(
    model: nn.Module,
    data: DeviceData,
    split: str = "validation",
    *,
    images: int | None = None,
    batch_size: int = _BATCH,
    precision: Precision = "float32",
    folded: FoldedNorms | None = None,
) -> Metrics:
    """``model``, on the device of ``data``, over ``split`` in eval mode, or over ``images`` of it, always the same.

    The model gives logits (B, classes), or a tuple that starts with them. Its mode is put back afterwards.
    ``folded``: that of ``model``, by whoever evaluates it more than once. Raises DataError if ``split`` was not moved
    to the device.
    """
    metrics, _ = evaluate_each(
        model, data, split, images=images, batch_size=batch_size, precision=precision, folded=folded
    )
    return metrics


def evaluate_each(
    model: nn.Module,
    data: DeviceData,
    split: str = "validation",
    *,
    images: int | None = None,
    batch_size: int = _BATCH,
    precision: Precision = "float32",
    folded: FoldedNorms | None = None,
) -> tuple[Metrics, Tensor]:
    """As :func:`evaluate`, and whether each of the images, in their order, is right: bool (N,), on the device."""
    count = data.evaluated(split, images)
    right = torch.empty(count, dtype=torch.bool, device=data.device)
    was_training = model.training
    folded = folded or FoldedNorms(model)
    model.eval()
    try:
        with torch.inference_mode():
            batches = data.eval_batches(split, batch_size, images)
            sums = _sums(folded.fold(), batches, precision, right)
    finally:
        model.train(was_training)
    loss, accuracy = (sums / count).tolist()
    return Metrics(loss=loss, accuracy=accuracy, n=count), right


def _sums(model: nn.Module, batches: Iterable[Batch], precision: Precision, right: Tensor) -> Tensor:
    """Float64 (2,): summed cross-entropy and number of right answers, on the device; which those are into ``right``."""
    sums, done = torch.zeros(2, dtype=torch.float64, device=right.device), 0
    for images, labels in batches:
        with autocast(right.device, precision):
            output = model(images)
        logits = main_logits(output).float()
        sums[0] += F.cross_entropy(logits, labels, reduction="sum")
        answers = logits.argmax(1) == labels
        sums[1] += answers.sum()
        right[done : done + len(labels)] = answers
        done += len(labels)
    return sums


def main_logits(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """The logits of the main head: the output itself, or its first part."""
    return output[0] if isinstance(output, tuple) else output


def autocast(device: torch.device, precision: Precision, *, cache: bool = True) -> torch.autocast:
    """The context in which a forward pass runs: bfloat16 where asked for, else no change.

    ``cache``: weights that were cast are kept to the end of the context.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16", cache_enabled=cache)
