"""The training loop: one network, data already on the device, a fidelity, a seed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import clip_grad_norm_
from torch.optim import SGD

from inception_search.data.loader import DeviceData
from inception_search.errors import ConfigError
from inception_search.training.devices import settings
from inception_search.training.evaluate import Metrics, autocast, evaluate
from inception_search.training.failures import diverged, memory_errors
from inception_search.training.fidelity import Fidelity
from inception_search.training.norm_statistics import refresh_norm_statistics
from inception_search.training.schedule import learning_rate_factor

_CHECK_EVERY = 16  # steps between looks at the loss; each look makes a GPU wait for its queue


@dataclass(frozen=True)
class EpochMetrics:
    """One point of the learning curve, after ``epoch`` (1, 2, ...).

    ``train_loss`` is the mean of what was minimised (smoothed, with auxiliary heads); ``validation_loss`` is
    plain cross-entropy in nats, ``validation_accuracy`` 0..1, ``learning_rate`` that of the last step,
    ``seconds`` the wall time of this epoch with its validation (ignored by ``==``).
    """

    epoch: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    seconds: float = field(compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Field names to plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class TrainingResult:
    """The curve, whether ``report`` ended the run early, its wall time in seconds and optimiser steps."""

    curve: tuple[EpochMetrics, ...]
    stopped: bool
    seconds: float = field(compare=False)
    steps: int

    @property
    def final(self) -> EpochMetrics:
        """The last epoch's metrics."""
        return self.curve[-1]


Report = Callable[[EpochMetrics], bool]


def go_on(_: EpochMetrics) -> bool:
    """The report that never stops a run."""
    return True


def train(
    model: nn.Module,
    data: DeviceData,
    fidelity: Fidelity,
    *,
    seed: int,
    report: Report = go_on,
    aux_weights: Sequence[float] = (),
) -> TrainingResult:
    """Train ``model`` in place (moved to the device of ``data``, channels_last) and return its curve.

    ``model`` maps (B, C, H, W) to logits (B, classes); in training mode it may return (logits, aux1, ...),
    one auxiliary output per weight in ``aux_weights``. ``report`` gets the metrics after each epoch and stops
    the run by returning False. ``seed`` draws order, augmentation and dropout; torch's own random state is
    left as it was. On a CPU the same model, data, fidelity and seed give the same curve to the last bit.
    Raises TrainingError when the loss stops being finite or memory runs out, ConfigError for the wrong number
    of ``aux_weights``.
    """
    with memory_errors(fidelity.batch_size), settings(data.device, threads=fidelity.threads, seed=seed):
        model.to(device=data.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return _Run(model, data, fidelity, seed, tuple(aux_weights)).through(report)


class _Run:
    """One run under way: the optimiser, the generator and the step count."""

    def __init__(
        self,
        model: nn.Module,
        data: DeviceData,
        fidelity: Fidelity,
        seed: int,
        aux_weights: tuple[float, ...],
    ) -> None:
        self.model, self.data, self.fidelity, self.aux_weights = model, data, fidelity, aux_weights
        self.generator = Generator(data.device).manual_seed(seed)
        self.optimizer = make_optimizer(model, fidelity)
        self.total_steps = fidelity.epochs * data.steps_per_epoch(fidelity.batch_size)
        self.step = 0

    def through(self, report: Report) -> TrainingResult:
        """All epochs, or as many as ``report`` allows."""
        start = time.perf_counter()
        curve: list[EpochMetrics] = []
        stopped = False
        while len(curve) < self.fidelity.epochs and not stopped:
            curve.append(self._epoch(len(curve) + 1))
            stopped = not report(curve[-1]) and len(curve) < self.fidelity.epochs
        return TrainingResult(tuple(curve), stopped, time.perf_counter() - start, self.step)

    def _epoch(self, epoch: int) -> EpochMetrics:
        start = time.perf_counter()
        train_loss = self._pass(epoch)
        metrics = self._validate()
        if not math.isfinite(metrics.loss):
            raise diverged("validation loss", epoch)
        return EpochMetrics(
            epoch=epoch,
            train_loss=train_loss,
            validation_loss=metrics.loss,
            validation_accuracy=metrics.accuracy,
            learning_rate=self.optimizer.param_groups[0]["lr"],
            seconds=time.perf_counter() - start,
        )

    def _validate(self) -> Metrics:
        precision = self.fidelity.precision
        refresh_norm_statistics(
            self.model,
            self.data,
            images=self.fidelity.norm_images,
            generator=self.generator,
            precision=precision,
        )
        return evaluate(self.model, self.data, "validation", precision=precision)

    def _pass(self, epoch: int) -> float:
        """One pass over the training images; the mean loss.

        The losses are summed on the device: a NaN or infinity stays in the sum until it is looked at.
        """
        self.model.train()
        total = torch.zeros((), device=self.data.device)
        count = 0
        for images, labels in self.data.train_batches(self.fidelity.batch_size, self.generator, self.fidelity.augment):
            total += self._step(images, labels)
            count += 1
            if count % _CHECK_EVERY == 0 and not total.isfinite():
                raise diverged("training loss", epoch)
        mean = total.item() / count
        if not math.isfinite(mean):
            raise diverged("training loss", epoch)
        return mean

    def _step(self, images: Tensor, labels: Tensor) -> Tensor:
        """One optimiser step; the loss before it, detached."""
        fidelity = self.fidelity
        rate = fidelity.learning_rate * learning_rate_factor(self.step, self.total_steps, fidelity.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        with autocast(self.data.device, fidelity.precision):
            loss = total_loss(self.model(images), labels, self.aux_weights, fidelity.label_smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(self.model.parameters(), fidelity.gradient_clip, foreach=True)
        self.optimizer.step()
        self.step += 1
        return loss.detach()


def total_loss(
    output: Tensor | tuple[Tensor, ...], labels: Tensor, aux_weights: Sequence[float], smoothing: float
) -> Tensor:
    """Cross-entropy of the main logits (B, classes) plus that of each auxiliary head times its weight.

    Raises ConfigError when the model gives another number of auxiliary outputs than there are weights.
    """
    logits, *extra = output if isinstance(output, tuple) else (output,)
    if len(extra) != len(aux_weights):
        expected = f"{len(extra)} for the auxiliary outputs of the model"
        raise ConfigError("wrong number of weights", path="aux_weights", found=len(aux_weights), expected=expected)
    loss = F.cross_entropy(logits, labels, label_smoothing=smoothing)
    for weight, other in zip(aux_weights, extra, strict=True):
        loss = loss + weight * F.cross_entropy(other, labels, label_smoothing=smoothing)
    return loss


def make_optimizer(model: nn.Module, fidelity: Fidelity) -> SGD:
    """Nesterov SGD, fused, with weight decay on the weights of convs and linears only."""
    wanted = [p for p in model.parameters() if p.requires_grad]
    decayed = [p for p in wanted if p.ndim > 1]
    spared = [p for p in wanted if p.ndim <= 1]
    groups: list[dict[str, Any]] = [{"params": decayed}, {"params": spared, "weight_decay": 0.0}]
    return SGD(
        groups,
        lr=fidelity.learning_rate,
        momentum=fidelity.momentum,
        weight_decay=fidelity.weight_decay,
        nesterov=fidelity.momentum > 0,
        fused=True,
    )
