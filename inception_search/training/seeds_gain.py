"""Whether several seeds of one architecture are faster trained together than one after the other.

A GPU that a small network leaves idle does the work of several in about the time of one. On a CPU, which is busy
with one, nothing is gained: there a process per core does better.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from copy import deepcopy

import torch
from torch import Generator, nn

from inception_search.data.loader import Batch, DeviceData
from inception_search.training.captured_step import CapturedStep, wants_capture
from inception_search.training.devices import settings
from inception_search.training.failures import memory_errors
from inception_search.training.fidelity import Fidelity
from inception_search.training.many_seeds import begun, stack
from inception_search.training.stacked import StackedWork
from inception_search.training.step import EagerStep, Step, Work

_WORTH = 1.1  # times as fast: less is within what a measurement errs by
_WARM_UP, _TIMED = 8, 15  # steps


def pays(device: torch.device, speedup: Callable[[], float]) -> bool:
    """Whether to train seeds together on ``device``: on a GPU where ``speedup()`` measures a gain, never on a CPU.

    ``speedup`` is not called for a CPU; :func:`measured_speedup` makes one.
    """
    return device.type == "cuda" and speedup() >= _WORTH


def measured_speedup(
    model: nn.Module, data: DeviceData, fidelity: Fidelity, *, seeds: int, aux_weights: Sequence[float] = ()
) -> float:
    """How many times faster ``seeds`` copies of ``model`` train together than one after the other.

    Measured over some steps of each, after those that warm up; ``model`` is left as it is. Raises TrainingError where
    memory does not suffice.
    """
    with memory_errors(fidelity.batch_size), settings(data.device, threads=fidelity.threads, seed=0):
        model = deepcopy(model).to(device=data.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        captured, weights = wants_capture(data.device, None), tuple(aux_weights)
        class_weights = data.class_weights(fidelity.class_weights)

        def alone() -> Work:
            one = begun(deepcopy(model).train(), data, fidelity, 0, captured)
            return Work(one.model, one.optimizer, fidelity, weights, one.average, class_weights)

        def together() -> Work:
            models = [deepcopy(model) for _ in range(seeds)]
            return StackedWork(models, fidelity, weights, class_weights, capturable=captured)

        # One after the other: neither is in memory while the other is measured.
        seconds = _seconds(alone(), data, captured, lambda batch: batch)
        return seeds * seconds / _seconds(together(), data, captured, lambda batch: stack([batch] * seeds))


def _seconds(work: Work, data: DeviceData, captured: bool, batch_of: Callable[[Batch], Batch]) -> float:
    """Seconds that a step of ``work`` takes, the median of some."""
    take_step: Step = CapturedStep(work, data.device) if captured else EagerStep(work)
    generator, fidelity = Generator(data.device).manual_seed(0), work.fidelity
    images, labels = batch_of(next(iter(data.train_batches(fidelity.batch_size, generator))))
    times = []
    for number in range(1, _WARM_UP + _TIMED + 1):
        start = time.perf_counter()
        take_step(images, labels, 0.0, number).sum().item()  # waits for the device
        times.append(time.perf_counter() - start)
    return statistics.median(times[_WARM_UP:])
