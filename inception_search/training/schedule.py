"""Learning rate schedules as factors of the peak rate: a warm-up, then one of several shapes.

A new schedule is a row of :data:`SCHEDULES` and a name in :data:`ScheduleName`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

ScheduleName = Literal["one_cycle", "cosine", "linear", "exponential", "constant"]
_PER_TWO_EPOCHS = 0.94  # Szegedy et al. 2016, section 8


class Moment(NamedTuple):
    """Step ``step`` (0..steps-1) of a run of ``steps`` steps in ``epochs`` epochs, ``rising`` of them warm-up."""

    step: int
    steps: int
    epochs: int
    rising: int
    decay: float

    @property
    def since_warmup(self) -> float:
        """The completed fraction of the steps after the warm-up, 0 (inclusive) to 1 (exclusive)."""
        return max(0, self.step - self.rising) / max(1, self.steps - self.rising)


def learning_rate_factor(
    step: int, steps: int, *, schedule: ScheduleName = "one_cycle", warmup: float = 0, decay: float = 0, epochs: int = 1
) -> float:
    """The factor on the peak learning rate at ``step`` (0..steps-1) of ``steps``; above 0 and at most 1.

    During the first fraction ``warmup`` of the steps the rate rises linearly to the schedule's value, reached at its
    last step. No schedule reaches 0, because a step with a rate of zero would be wasted.
    """
    now = Moment(step, steps, epochs, round(warmup * steps), decay)
    ramp = (step + 1) / now.rising if step < now.rising else 1.0
    return ramp * SCHEDULES[schedule](now)


def _one_cycle(now: Moment) -> float:
    """Constant until the end of the warm-up, then a half cosine down."""
    return _half_cosine(now.since_warmup)


def _cosine(now: Moment) -> float:
    """A half cosine over the entire run, damped by the warm-up at its start."""
    return _half_cosine(now.step / now.steps)


def _linear(now: Moment) -> float:
    """Constant until the end of the warm-up, then linearly down."""
    return 1 - now.since_warmup


def _exponential(now: Moment) -> float:
    """Constant until the end of the warm-up, then times 0.94 every two epochs, as in the Inception papers."""
    epoch = max(0, now.step - now.rising) * now.epochs // now.steps
    return float(_PER_TWO_EPOCHS ** (epoch // 2))


def _constant(now: Moment) -> float:
    """Constant until the last fraction ``decay`` of the steps, then linearly down."""
    falling = round(now.decay * now.steps)
    return min(1.0, (now.steps - now.step) / (falling + 1))


def _half_cosine(done: float) -> float:
    return (1 + math.cos(math.pi * done)) / 2


SCHEDULES: Mapping[ScheduleName, Callable[[Moment], float]] = {
    "one_cycle": _one_cycle,
    "cosine": _cosine,
    "linear": _linear,
    "exponential": _exponential,
    "constant": _constant,
}
