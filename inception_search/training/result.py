"""The result of a training: the learning curve and facts about the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from inception_search.passes.pipeline import Applied
from inception_search.training.evaluate import Metrics


@dataclass(frozen=True)
class EpochMetrics:
    """One point of the learning curve, after ``epoch`` (1, 2, ...).

    ``train_loss`` is the mean of the minimised loss (smoothed, weighted, with auxiliary classifiers).
    ``validation_loss`` is cross-entropy in nats; ``validation_accuracy``, ``validation_balanced_accuracy``,
    ``validation_macro_f1`` are 0..1 (None in states of earlier versions). ``learning_rate`` is that of the last step.
    ``seconds`` is the wall time of this epoch with its validation (ignored by ``==``).
    """

    epoch: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    seconds: float = field(compare=False)
    validation_balanced_accuracy: float | None = None
    validation_macro_f1: float | None = None

    @classmethod
    def of(cls, epoch: int, train_loss: float, metrics: Metrics, learning_rate: float, seconds: float) -> Self:
        """The point of the curve with ``metrics`` on the validation images."""
        return cls(
            epoch=epoch,
            train_loss=train_loss,
            validation_loss=metrics.loss,
            validation_accuracy=metrics.accuracy,
            learning_rate=learning_rate,
            seconds=seconds,
            validation_balanced_accuracy=metrics.balanced_accuracy,
            validation_macro_f1=metrics.macro_f1,
        )

    def to_dict(self) -> dict[str, Any]:
        """Field names to plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class TrainingResult:
    """The complete curve and the number of steps; ``stopped``: the training ended before its last epoch.

    The other fields describe this call only and are ignored by ``==``: ``seconds`` of wall time, ``resumed_from``
    (epochs from the checkpoint), ``peak_memory`` in bytes (0 on a CPU), ``images_per_second`` in training steps (0
    without steps), ``notes`` on unexpected events, and ``rewrites``: the passes that rewrote the network and where.
    """

    curve: tuple[EpochMetrics, ...]
    stopped: bool
    seconds: float = field(compare=False)
    steps: int
    resumed_from: int = field(default=0, compare=False)
    peak_memory: int = field(default=0, compare=False)
    images_per_second: float = field(default=0.0, compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)
    rewrites: Applied = field(default=(), compare=False)

    @property
    def final(self) -> EpochMetrics:
        """The last epoch's metrics."""
        return self.curve[-1]


Report = Callable[[EpochMetrics], bool]


def go_on(_: EpochMetrics) -> bool:
    """A report function that never stops a run."""
    return True
