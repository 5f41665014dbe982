"""Several seeds of one architecture trained together: one launch of every kernel for all of them.

Whether that is any faster is for ``seeds_gain`` to say.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from inception_search.backend.fold_norms import FoldedNorms
from inception_search.data.loader import Batch, DeviceData
from inception_search.errors import CheckpointError, ConfigError, raw
from inception_search.training.average import WeightAverage, averaged_tensors
from inception_search.training.captured_step import CapturedStep, wants_capture
from inception_search.training.devices import forget_peak, peak_memory, settings
from inception_search.training.evaluate import Metrics, evaluate
from inception_search.training.failures import diverged, memory_errors
from inception_search.training.fidelity import Fidelity
from inception_search.training.norm_statistics import refresh_norm_statistics, uncounted
from inception_search.training.optimizers import make_optimizer
from inception_search.training.result import EpochMetrics, TrainingResult
from inception_search.training.resume import Progress, dump, identity, network_digest, restore
from inception_search.training.schedule import learning_rate_factor
from inception_search.training.stacked import StackedWork
from inception_search.training.state import Checkpoint
from inception_search.training.step import EagerStep, Step

ReportMany = Callable[[Sequence[EpochMetrics]], bool]

_CHECK_EVERY = 16


def train_many(
    models: Sequence[nn.Module],
    data: DeviceData,
    fidelity: Fidelity,
    *,
    seeds: Sequence[int],
    aux_weights: Sequence[float] = (),
    report: ReportMany = lambda _: True,
    checkpoints: Sequence[Checkpoint] = (),
    capture: bool | None = None,
) -> tuple[TrainingResult, ...]:
    """Train ``models``, of one architecture, in place, each as :func:`train` does with its seed of ``seeds``.

    Order, augmentation and statistics are each seed's own, and results equal those of separate runs to rounding;
    only dropout draws other numbers. ``report`` gets the metrics of all after each epoch and stops them by returning
    False. ``checkpoints``, one for each seed, hold what :func:`train` saves for it: either goes on from the other's.
    ``seconds``, ``peak_memory`` and ``images_per_second`` are those of all together. Batch norms must have a momentum.
    Raises as :func:`train` does (TrainingError as soon as one of the networks diverges, CheckpointError also where
    the seeds have come to different epochs), and ConfigError for models that differ or are not as many as the seeds.
    """
    for name, given in (("seeds", seeds), ("checkpoints", checkpoints or seeds)):
        if len(given) != len(models) or not models:
            expected = f"{len(models)} {name} for as many models, one at least"
            raise ConfigError(f"wrong number of {name}", path=name, found=len(given), expected=expected)
    with memory_errors(fidelity.batch_size), settings(data.device, threads=fidelity.threads, seed=seeds[0]):
        for model in models:
            if network_digest(model) != network_digest(models[0]):
                raise ConfigError("the models differ in more than their weights", path="models")
            model.to(device=data.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        captured = wants_capture(data.device, capture)
        parts = [begun(model, data, fidelity, seed, captured) for model, seed in zip(models, seeds, strict=True)]
        saved = _Saved(checkpoints, parts, seeds, data, fidelity, tuple(aux_weights))
        saved.restore()
        return _Together(parts, data, fidelity, tuple(aux_weights), captured).through(report, saved)


def begun(model: nn.Module, data: DeviceData, fidelity: Fidelity, seed: int, captured: bool) -> Progress:
    """The run of one network before its first step."""
    average = WeightAverage(averaged_tensors(model), fidelity.ema) if fidelity.ema else None
    optimizer = make_optimizer(model, fidelity, capturable=captured)
    return Progress(model, optimizer, average, Generator(data.device).manual_seed(seed))


def stack(batches: Sequence[Batch]) -> Batch:
    """Images (S, B, C, H, W) and labels (S, B)."""
    return torch.stack([images for images, _ in batches]), torch.stack([labels for _, labels in batches])


class _Saved:
    """The states of all runs, each where it would be if it were trained alone."""

    def __init__(
        self,
        checkpoints: Sequence[Checkpoint],
        parts: Sequence[Progress],
        seeds: Sequence[int],
        data: DeviceData,
        fidelity: Fidelity,
        aux_weights: tuple[float, ...],
    ) -> None:
        self.checkpoints, self.parts = checkpoints, parts
        self.whose = [
            identity(part.model, data, fidelity, seed, aux_weights)
            for part, seed in zip(parts, seeds if checkpoints else (), strict=False)
        ]

    def restore(self) -> None:
        """Go on from what is saved; CheckpointError where the runs have come to different epochs."""
        for checkpoint, part, whose in zip(self.checkpoints, self.parts, self.whose, strict=False):
            saved = checkpoint.load()
            if saved is not None:
                restore(part, saved, whose)
        epochs = sorted({len(part.curve) for part in self.parts})
        if len(epochs) > 1:
            mend = "train them one at a time"
            found = raw("epochs " + ", ".join(map(str, epochs)))
            raise CheckpointError("the seeds have come to different epochs", found=found, mend=mend)

    def save(self) -> None:
        """Replace what is saved."""
        for checkpoint, part, whose in zip(self.checkpoints, self.parts, self.whose, strict=False):
            checkpoint.save(dump(part, whose))


class _Together:
    """The runs under way."""

    def __init__(
        self,
        parts: Sequence[Progress],
        data: DeviceData,
        fidelity: Fidelity,
        aux_weights: tuple[float, ...],
        capture: bool,
    ) -> None:
        self.parts, self.data, self.fidelity = parts, data, fidelity
        models = [part.model for part in parts]
        weights = data.class_weights(fidelity.class_weights)
        self.work = StackedWork(models, fidelity, aux_weights, weights, capturable=capture)
        self.work.take_states(*self._own())
        self.folded = [FoldedNorms(model) for model in models]
        self.generators = [part.generator for part in parts]
        self.take_step: Step = CapturedStep(self.work, data.device) if capture else EagerStep(self.work)
        self.total_steps = fidelity.epochs * data.steps_per_epoch(fidelity.batch_size)
        self.step, self.rate, self.seconds = parts[0].step, 0.0, 0.0

    def through(self, report: ReportMany, saved: _Saved) -> tuple[TrainingResult, ...]:
        """The epochs that are missing, or as many as ``report`` allows; one result for each network."""
        start = time.perf_counter()
        forget_peak(self.data.device)
        resumed, first_step, more = len(self.parts[0].curve), self.step, True
        while len(self.parts[0].curve) < self.fidelity.epochs and more:
            metrics = self._epoch(len(self.parts[0].curve) + 1)
            self._take_down(metrics)
            saved.save()
            more = report(metrics)
        if self.work.average is not None:
            self.work.average.exchange()
        self.work.unstack()
        seconds = time.perf_counter() - start
        images = len(self.parts) * (self.step - first_step) * min(self.fidelity.batch_size, self.data.size("train"))
        return tuple(
            TrainingResult(
                tuple(part.curve),
                stopped=len(part.curve) < self.fidelity.epochs,
                seconds=seconds,
                steps=self.step,
                resumed_from=resumed,
                peak_memory=peak_memory(self.data.device),
                images_per_second=images / self.seconds if self.seconds else 0.0,
                notes=tuple(self.take_step.notes),
            )
            for part in self.parts
        )

    def _own(self) -> tuple[list[Optimizer], list[WeightAverage]]:
        """What the networks would be trained and averaged with alone."""
        averages = [part.average for part in self.parts if part.average is not None]
        return [part.optimizer for part in self.parts], averages

    def _take_down(self, metrics: Sequence[EpochMetrics]) -> None:
        """Write into each network's own progress how far it has come."""
        self.work.unstack()
        self.work.give_states(*self._own())
        for part, point in zip(self.parts, metrics, strict=True):
            part.step = self.step
            part.curve.append(point)

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
        if not all(math.isfinite(metrics.loss) for metrics in found):
            raise diverged("validation loss", epoch)
        seconds = time.perf_counter() - start
        return [
            EpochMetrics.of(epoch, loss, metrics, self.rate, seconds)
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
            yield stack(batches)

    def _validate(self, images: int | None) -> list[Metrics]:
        """What every network is worth on the validation images, with fresh statistics, by its average if it has one.

        On all validation images, or on so many of them.
        """
        average = self.work.average
        if average is None:
            return self._measure(images)
        with average.in_place():
            return self._measure(images)

    def _measure(self, images: int | None) -> list[Metrics]:
        self.work.unstack()
        found = []
        for model, folded, generator in zip(self.work.models, self.folded, self.generators, strict=True):
            precision = self.fidelity.precision
            refresh_norm_statistics(
                model, self.data, images=self.fidelity.norm_images, generator=generator, precision=precision
            )
            found.append(evaluate(model, self.data, "validation", images=images, precision=precision, folded=folded))
        self.work.restack_buffers()
        return found
