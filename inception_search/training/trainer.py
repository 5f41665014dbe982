"""The training loop: one network, data already on the device, a fidelity, a seed."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Generator, Tensor, nn

from inception_search.backend.execution import Evaluated, training_form
from inception_search.backend.rewritten import Rewritten
from inception_search.data.loader import DeviceData
from inception_search.errors import ConfigError, TrainingError, raw
from inception_search.passes.pipeline import Applied
from inception_search.training.checkpoint_format import Checkpoint
from inception_search.training.cuda_graph import CapturedStep, wants_capture
from inception_search.training.devices import forget_peak, peak_memory, settings
from inception_search.training.evaluate import Metrics, evaluate
from inception_search.training.fidelity import Fidelity
from inception_search.training.norm_statistics import refresh_norm_statistics, uncounted
from inception_search.training.optimizers import make_optimizer
from inception_search.training.result import EpochMetrics, Report, TrainingResult, go_on
from inception_search.training.resume import Progress, dump, identity, restore, saved_rewrites
from inception_search.training.schedule import learning_rate_factor
from inception_search.training.step import EagerStep, Step, Work
from inception_search.training.weight_average import WeightAverage, averaged_tensors

__all__ = ["Checkpoint", "EpochMetrics", "Fidelity", "Report", "TrainingResult", "go_on", "train"]

_CHECK_EVERY = 16  # steps between checks of the loss, because each check waits for the GPU


def train(
    model: nn.Module,
    data: DeviceData,
    fidelity: Fidelity,
    *,
    seed: int,
    report: Report = go_on,
    aux_weights: Sequence[float] = (),
    checkpoint: Checkpoint | None = None,
    until: int | None = None,
    capture: bool | None = None,
    rewrites: Applied | None = None,
) -> TrainingResult:
    """Train ``model`` in place (moved to the device of ``data``, channels_last) and return its curve.

    ``model`` maps (B, C, H, W) to logits (B, classes); in training mode it may return (logits, aux1, ...),
    one auxiliary output per weight in ``aux_weights``. ``report`` receives the metrics after each epoch and stops
    the run by returning False. ``seed`` determines order, augmentation and dropout; torch's global random state is
    restored. On a CPU the same model, data, fidelity and seed give the same curve to the last bit.

    With a ``checkpoint`` the complete state is saved after every epoch, before ``report`` is called. A run continues
    from a saved state; on a CPU the result has the same bits as without interruption. ``report`` is then called again
    for the last epoch of that state and may stop the run, because its decision may be missing or have changed. A
    complete run reports nothing. ``until`` pauses the run (``stopped`` is then True) after that many epochs in total;
    the schedule remains that of the full run.

    ``rewrites``: passes and the places where they rewrite the graph of a compiled network for the steps. The model, its
    parameters and saved states are those of the plain network; a state is continued with its own rewrites. Other
    modules, and networks that are no longer as their documents say, are trained as they are.

    ``capture``: take steps as a CUDA graph (default: on every GPU). With ``fidelity.ema``, ``model`` has the averaged
    weights at the end. Raises TrainingError if the loss is not finite or memory is exhausted, CheckpointError if the
    saved state is damaged or belongs to another run, ConfigError for the wrong number of ``aux_weights``, an ``until``
    below 1 or a ``capture`` without a GPU.
    """
    if until is not None and until < 1:
        raise ConfigError("the value cannot be used", path="until", found=until, expected="at least 1 epoch")
    if capture and data.device.type != "cuda":
        raise ConfigError("CUDA graphs need a GPU", path="capture", found=str(data.device), expected="a CUDA device")
    with memory_errors(fidelity.batch_size), settings(data.device, threads=fidelity.threads, seed=seed):
        model.to(device=data.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        saved = checkpoint.load() if checkpoint is not None else None
        form = training_form(model, rewrites if saved is None else saved_rewrites(saved))
        run = _Run(model, form, data, fidelity, seed, tuple(aux_weights), wants_capture(data.device, capture))
        return run.through(report, checkpoint, saved, min(until or fidelity.epochs, fidelity.epochs))


class _Run:
    """The state and methods of one training."""

    def __init__(
        self,
        model: nn.Module,
        form: Rewritten | None,
        data: DeviceData,
        fidelity: Fidelity,
        seed: int,
        aux_weights: tuple[float, ...],
        capture: bool,
    ) -> None:
        self.model, self.data, self.fidelity, self.seed, self.aux_weights = model, data, fidelity, seed, aux_weights
        self.form = form
        optimizer = make_optimizer(model, fidelity, capturable=capture)
        average = WeightAverage(averaged_tensors(model), fidelity.ema) if fidelity.ema else None
        rewrites = None if form is None else form.rewrites
        self.progress = Progress(model, optimizer, average, Generator(data.device).manual_seed(seed), rewrites)
        weights = data.class_weights(fidelity.class_weights)
        work = Work(model, optimizer, fidelity, aux_weights, average, weights, form)
        self.take_step: Step = CapturedStep(work, data.device) if capture else EagerStep(work)
        self.evaluated = Evaluated(model)
        self.total_steps = fidelity.epochs * data.steps_per_epoch(fidelity.batch_size)
        self.rate = 0.0
        self.images, self.seconds = 0, 0.0  # in the training steps of this call

    def through(self, report: Report, checkpoint: Checkpoint | None, saved: bytes | None, last: int) -> TrainingResult:
        """Train the epochs up to ``last`` that ``saved`` does not have, or until ``report`` stops the run."""
        start = time.perf_counter()
        forget_peak(self.data.device)
        run_identity = {} if checkpoint is None else self._restore(saved)
        curve = self.progress.curve
        resumed = len(curve)
        more = not 0 < resumed < last or report(curve[-1])
        while len(curve) < last and more:
            curve.append(self._epoch(len(curve) + 1, last))
            if checkpoint is not None:
                checkpoint.save(dump(self.progress, run_identity))
            more = report(curve[-1])
        if self.progress.average is not None:
            self.progress.average.exchange()
        return TrainingResult(
            tuple(curve),
            stopped=len(curve) < self.fidelity.epochs,
            seconds=time.perf_counter() - start,
            steps=self.progress.step,
            resumed_from=resumed,
            peak_memory=peak_memory(self.data.device),
            images_per_second=self.images / self.seconds if self.seconds else 0.0,
            notes=tuple(self.take_step.notes),
            rewrites=self.progress.rewrites or (),
        )

    def _restore(self, saved: bytes | None) -> dict[str, Any]:
        """Restore the state ``saved``, if there is one; returns the identity of this run."""
        run_identity = identity(self.model, self.data, self.fidelity, self.seed, self.aux_weights)
        if saved is not None:
            restore(self.progress, saved, run_identity)
        return run_identity

    def _epoch(self, epoch: int, last: int) -> EpochMetrics:
        start = time.perf_counter()
        train_loss = self._pass(epoch)
        metrics = self._validate(None if epoch == last else self.fidelity.curve_images)
        if not math.isfinite(metrics.loss):
            raise diverged("validation loss", epoch)
        return EpochMetrics.of(epoch, train_loss, metrics, self.rate, time.perf_counter() - start)

    def _validate(self, images: int | None) -> Metrics:
        """The metrics of the network, or of its averaged weights, on all or ``images`` validation images."""
        average = self.progress.average
        if average is None:
            return self._measure(images)
        with average.in_place():
            return self._measure(images)

    def _measure(self, images: int | None) -> Metrics:
        refresh_norm_statistics(
            self.model,
            self.data,
            images=self.fidelity.norm_images,
            generator=self.progress.generator,
            precision=self.fidelity.precision,
            compute=self.form,
        )
        if self.form is not None:
            self.form.count_batches()
        precision = self.fidelity.precision
        return evaluate(
            self.model, self.data, "validation", images=images, precision=precision, evaluated=self.evaluated
        )

    def _pass(self, epoch: int) -> float:
        """One pass over the training images; the mean loss."""
        start, before = time.perf_counter(), self.progress.step
        self.model.train()
        with uncounted(self.model, lambda: self.progress.step - before):
            total = self._steps(epoch)
        mean = total.item() / (self.progress.step - before)  # item() waits for the device
        self.seconds += time.perf_counter() - start
        if not math.isfinite(mean):
            raise diverged("training loss", epoch)
        return mean

    def _steps(self, epoch: int) -> Tensor:
        """Take the steps of one pass; returns the sum of the losses, on the device.

        A NaN or infinity stays in the sum until the next check.
        """
        fidelity, progress = self.fidelity, self.progress
        total = torch.zeros((), device=self.data.device)
        batches = self.data.train_batches(fidelity.batch_size, progress.generator, fidelity.augment, fidelity.cutout)
        for count, (images, labels) in enumerate(batches, 1):
            self.rate = self._rate()
            progress.step += 1
            total += self.take_step(images, labels, self.rate, progress.step)
            self.images += len(labels)
            if count % _CHECK_EVERY == 0 and not total.isfinite():
                raise diverged("training loss", epoch)
        return total

    def _rate(self) -> float:
        """The learning rate of the next step."""
        fidelity = self.fidelity
        factor = learning_rate_factor(
            self.progress.step,
            self.total_steps,
            schedule=fidelity.schedule,
            warmup=fidelity.warmup,
            decay=fidelity.decay,
            epochs=fidelity.epochs,
        )
        return fidelity.learning_rate * factor


DIVERGED = "diverged"
OUT_OF_MEMORY = TrainingError.OUT_OF_MEMORY
# oneDNN raises this without memory for generated code; for unsupported ops the text has "a primitive descriptor".
_NO_PRIMITIVE = "could not create a primitive"
_SIGNS = ("DefaultCPUAllocator", "not enough memory", "out of memory", "STATUS_ALLOC_FAILED")


def diverged(what: str, epoch: int) -> TrainingError:
    """The error for a loss that is not finite."""
    hint = "lower learning_rate or gradient_clip, or lengthen warmup"
    return TrainingError(f"{DIVERGED}: the {what} is not finite in epoch {epoch}", hint=hint)


@contextmanager
def memory_errors(batch_size: int) -> Iterator[None]:
    """Convert out-of-memory errors of torch, CUDA and Python to a TrainingError."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(error, batch_size) from error
    except RuntimeError as error:
        if str(error) == _NO_PRIMITIVE or any(words in str(error) for words in _SIGNS):
            raise _out_of_memory(error, batch_size) from error
        raise


def reason(error: TrainingError) -> str:
    """The category of a failure: ``"diverged"``, ``"out of memory"`` or ``"failed"``."""
    return next((word for word in (DIVERGED, OUT_OF_MEMORY) if error.rule.startswith(word)), "failed")


def _out_of_memory(error: BaseException, batch_size: int) -> TrainingError:
    first_line = (str(error) or type(error).__name__).splitlines()[0]
    hint = f"use a batch_size below {batch_size}, smaller images or a smaller network"
    return TrainingError(f"{OUT_OF_MEMORY} while training", found=raw(first_line), hint=hint)
