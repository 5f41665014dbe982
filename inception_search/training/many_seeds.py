"""Several seeds of one architecture trained together: one launch of every kernel for all of them.

A GPU that a small network leaves idle does the work of several in about the time of one. On a CPU, which is busy
with one, nothing is gained: there a process per core does better.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from copy import deepcopy

import torch
from torch import Generator, Tensor, nn

from inception_search.backend.fold_norms import FoldedNorms
from inception_search.data.loader import Batch, DeviceData
from inception_search.errors import ConfigError
from inception_search.training.captured_step import CapturedStep, wants_capture
from inception_search.training.devices import forget_peak, peak_memory, settings
from inception_search.training.evaluate import evaluate
from inception_search.training.failures import diverged, memory_errors
from inception_search.training.fidelity import Fidelity
from inception_search.training.norm_statistics import refresh_norm_statistics, uncounted
from inception_search.training.result import EpochMetrics, TrainingResult
from inception_search.training.resume import network_digest
from inception_search.training.schedule import learning_rate_factor
from inception_search.training.stacked import StackedWork
from inception_search.training.step import EagerStep, Step
from inception_search.training.trainer import train

_WORTH = 1.1  # times as fast: less is within what a measurement errs by
_CHECK_EVERY = 16


def train_many(
    models: Sequence[nn.Module],
    data: DeviceData,
    fidelity: Fidelity,
    *,
    seeds: Sequence[int],
    aux_weights: Sequence[float] = (),
    capture: bool | None = None,
) -> tuple[TrainingResult, ...]:
    """Train ``models``, of one architecture, in place, each as :func:`train` does with its seed of ``seeds``.

    Order, augmentation and statistics are each seed's own, and results equal those of separate runs to rounding;
    only dropout draws other numbers. ``seconds``, ``peak_memory`` and ``images_per_second`` are those of all
    together. Batch norms must have a momentum. Raises as :func:`train` does (TrainingError as soon as one of the
    networks diverges), and ConfigError for models that differ or are not as many as the seeds.
    """
    if len(seeds) != len(models) or not models:
        expected = f"{len(models)} seeds for as many models, one at least"
        raise ConfigError("wrong number of seeds", path="seeds", found=len(seeds), expected=expected)
    with memory_errors(fidelity.batch_size), settings(data.device, threads=fidelity.threads, seed=seeds[0]):
        for model in models:
            if network_digest(model) != network_digest(models[0]):
                raise ConfigError("the models differ in more than their weights", path="models")
            model.to(device=data.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        captured = wants_capture(data.device, capture)
        return _Together(models, data, fidelity, seeds, tuple(aux_weights), captured).through()


def pays(device: torch.device, speedup: Callable[[], float]) -> bool:
    """Whether to train seeds together on ``device``: on a GPU where ``speedup()`` measures a gain, never on a CPU.

    ``speedup`` is not called for a CPU; :func:`measured_speedup` makes one.
    """
    return device.type == "cuda" and speedup() >= _WORTH


def measured_speedup(
    model: nn.Module, data: DeviceData, fidelity: Fidelity, *, seeds: int, aux_weights: Sequence[float] = ()
) -> float:
    """How many times faster ``seeds`` copies of ``model`` train together than one after the other.

    Measured over two epochs of each (the first, which warms up, is not counted); ``model`` is left as it is.
    """
    short = Fidelity.from_dict({**fidelity.to_dict(), "epochs": 2, "norm_images": 0})
    alone = train(deepcopy(model), data, short, seed=0, aux_weights=aux_weights)
    copies = [deepcopy(model) for _ in range(seeds)]
    together = train_many(copies, data, short, seeds=range(seeds), aux_weights=aux_weights)
    return seeds * alone.final.seconds / together[0].final.seconds


class _Together:
    """The runs under way."""

    def __init__(
        self,
        models: Sequence[nn.Module],
        data: DeviceData,
        fidelity: Fidelity,
        seeds: Sequence[int],
        aux_weights: tuple[float, ...],
        capture: bool,
    ) -> None:
        self.data, self.fidelity = data, fidelity
        self.work = StackedWork(models, fidelity, aux_weights, capturable=capture)
        self.folded = [FoldedNorms(model) for model in models]
        self.generators = [Generator(data.device).manual_seed(seed) for seed in seeds]
        self.take_step: Step = CapturedStep(self.work, data.device) if capture else EagerStep(self.work)
        self.total_steps = fidelity.epochs * data.steps_per_epoch(fidelity.batch_size)
        self.step, self.rate, self.seconds = 0, 0.0, 0.0

    def through(self) -> tuple[TrainingResult, ...]:
        """All epochs; one result for each network."""
        start = time.perf_counter()
        forget_peak(self.data.device)
        epochs = [self._epoch(epoch) for epoch in range(1, self.fidelity.epochs + 1)]
        if self.work.average is not None:
            self.work.average.exchange()
        self.work.unstack()
        seconds = time.perf_counter() - start
        batch = min(self.fidelity.batch_size, self.data.size("train"))
        return tuple(
            TrainingResult(
                curve,
                stopped=False,
                seconds=seconds,
                steps=self.step,
                peak_memory=peak_memory(self.data.device),
                images_per_second=len(self.generators) * self.step * batch / self.seconds,
                notes=tuple(self.take_step.notes),
            )
            for curve in zip(*epochs, strict=True)
        )

    def _epoch(self, epoch: int) -> list[EpochMetrics]:
        start, before = time.perf_counter(), self.step
        with ExitStack() as counters:
            for model in self.work.models:
                model.train()
                counters.enter_context(uncounted(model, lambda: self.step - before))
            losses = (self._steps(epoch) / self.data.steps_per_epoch(self.fidelity.batch_size)).tolist()
        self.seconds += time.perf_counter() - start
        found = self._validate(None if epoch == self.fidelity.epochs else self.fidelity.curve_images)
        if not all(map(math.isfinite, losses)):
            raise diverged("training loss", epoch)
        if not all(math.isfinite(loss) for loss, _ in found):
            raise diverged("validation loss", epoch)
        seconds = time.perf_counter() - start
        return [
            EpochMetrics(epoch, loss, *metrics, learning_rate=self.rate, seconds=seconds)
            for loss, metrics in zip(losses, found, strict=True)
        ]

    def _steps(self, epoch: int) -> Tensor:
        """One pass of each network over its order of the images; the sums of the losses (S,)."""
        fidelity = self.fidelity
        totals = torch.zeros(len(self.generators), device=self.data.device)
        for images, labels in self._batches():
            factor = learning_rate_factor(
                self.step,
                self.total_steps,
                schedule=fidelity.schedule,
                warmup=fidelity.warmup,
                decay=fidelity.decay,
                epochs=fidelity.epochs,
            )
            self.rate = fidelity.learning_rate * factor
            self.step += 1
            totals += self.take_step(images, labels, self.rate, self.step)
            if self.step % _CHECK_EVERY == 0 and not totals.isfinite().all():
                raise diverged("training loss", epoch)
        return totals

    def _batches(self) -> Iterator[Batch]:
        """Images (S, B, C, H, W) and labels (S, B): each network's own batch."""
        fidelity = self.fidelity
        passes = (
            self.data.train_batches(fidelity.batch_size, generator, fidelity.augment, fidelity.cutout)
            for generator in self.generators
        )
        for batches in zip(*passes, strict=True):
            yield torch.stack([images for images, _ in batches]), torch.stack([labels for _, labels in batches])

    def _validate(self, images: int | None) -> list[tuple[float, float]]:
        """Validation loss and accuracy of every network, with fresh statistics, by its average if it has one.

        On all validation images, or on so many of them.
        """
        average = self.work.average
        if average is None:
            return self._measure(images)
        with average.in_place():
            return self._measure(images)

    def _measure(self, images: int | None) -> list[tuple[float, float]]:
        self.work.unstack()
        found = []
        for model, folded, generator in zip(self.work.models, self.folded, self.generators, strict=True):
            precision = self.fidelity.precision
            refresh_norm_statistics(
                model, self.data, images=self.fidelity.norm_images, generator=generator, precision=precision
            )
            metrics = evaluate(model, self.data, "validation", images=images, precision=precision, folded=folded)
            found.append((metrics.loss, metrics.accuracy))
        self.work.restack_buffers()
        return found
