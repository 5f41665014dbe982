"""Loss, accuracy, balanced accuracy and macro F1 of a network on one split."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inception_search.backend.execution import Evaluated
from inception_search.data.loader import Batch, DeviceData
from inception_search.training.fidelity import Precision

# Images per batch. On a CPU with 16 MiB of cache per core, networks on 28x28 pixels take up to a quarter longer with
# 512, because outputs of a layer leave the cache before the next layer reads them. With 64, networks on 14x14 pixels
# take longer because of more calls.
_BATCH = 256


@dataclass(frozen=True)
class Metrics:
    """The metrics of a network on ``n`` images.

    ``loss`` is the mean cross-entropy in nats, without smoothing or class weights. ``accuracy`` is the share of correct
    predictions, ``balanced_accuracy`` the mean recall over classes, and ``macro_f1`` the mean F1 score over classes.
    These three are 0..1 and defined as in scikit-learn: a class without images (for F1: and without predictions) does
    not count.
    """

    loss: float
    accuracy: float
    n: int
    balanced_accuracy: float
    macro_f1: float


def evaluate(
    model: nn.Module,
    data: DeviceData,
    split: str = "validation",
    *,
    images: int | None = None,
    batch_size: int = _BATCH,
    precision: Precision = "float32",
    evaluated: Evaluated | None = None,
) -> Metrics:
    """The metrics of ``model`` in eval mode on ``split``, or on ``images`` of it, which are always the same ones.

    The model is on the device of ``data`` and returns logits (B, classes), or a tuple that starts with them. Its mode
    is restored afterwards. ``evaluated`` is :class:`Evaluated` of the model, which callers may reuse. Raises
    DataError if ``split`` is not on the device.
    """
    metrics, _, _ = evaluate_each(
        model, data, split, images=images, batch_size=batch_size, precision=precision, evaluated=evaluated
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
    evaluated: Evaluated | None = None,
) -> tuple[Metrics, Tensor, Tensor]:
    """As :func:`evaluate`, with the true and the predicted classes of the images in order: int64 (N,) on the CPU."""
    count = data.evaluated(split, images)
    answers, truth = (torch.empty(count, dtype=torch.int64, device=data.device) for _ in range(2))
    was_training = model.training
    evaluated = evaluated or Evaluated(model)
    model.eval()
    try:
        with torch.inference_mode():
            batches = data.eval_batches(split, batch_size, images)
            total = _answer(evaluated.current(), batches, precision, answers, truth)
    finally:
        model.train(was_training)
    right = answers == truth
    loss, accuracy = (torch.stack([total, right.sum().double()]) / count).tolist()
    truth, answers = truth.cpu(), answers.cpu()
    balanced, macro = class_means(truth, answers)
    return Metrics(loss=loss, accuracy=accuracy, n=count, balanced_accuracy=balanced, macro_f1=macro), truth, answers


def _answer(model: nn.Module, batches: Iterable[Batch], precision: Precision, answers: Tensor, truth: Tensor) -> Tensor:
    """The summed cross-entropy, float64 on the device; writes predictions to ``answers`` and labels to ``truth``."""
    total, done = torch.zeros((), dtype=torch.float64, device=answers.device), 0
    for images, labels in batches:
        with autocast(answers.device, precision):
            output = model(images)
        logits = main_logits(output)
        logits = logits if logits.dtype == torch.float64 else logits.float()
        total += F.cross_entropy(logits, labels, reduction="sum")
        piece = slice(done, done + len(labels))
        answers[piece], truth[piece] = logits.argmax(1), labels
        done += len(labels)
    return total


def class_means(truth: Tensor, answers: Tensor) -> tuple[float, float]:
    """Balanced accuracy and macro F1, as in :class:`Metrics`, of ``answers`` for ``truth``: int64 (N,), N > 0."""
    classes = int(torch.maximum(truth.max(), answers.max())) + 1
    right = truth[truth == answers].bincount(minlength=classes).double()
    images, named = truth.bincount(minlength=classes), answers.bincount(minlength=classes)
    recall = (right / images)[images > 0]
    f1 = (2 * right / (images + named))[images + named > 0]
    return float(recall.mean()), float(f1.mean())


def main_logits(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """The logits of the main head: the output itself, or its first part."""
    return output[0] if isinstance(output, tuple) else output


def autocast(device: torch.device, precision: Precision, *, cache: bool = True) -> torch.autocast:
    """The autocast context of a forward pass: bfloat16 if ``precision`` is that, else no change.

    ``cache``: keep cast weights until the end of the context.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16", cache_enabled=cache)
