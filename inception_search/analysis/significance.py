"""Whether one network is significantly better than another on the test images.

A test result is uncertain for two reasons: the training seeds and the choice of test images. An interval covers both;
the images are compared pairwise, because both networks are tested on the same ones. A result is accuracy, balanced
accuracy or macro F1, each a mean of one contribution per image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
Outcome = Literal["better", "worse", "not distinguishable", "no interval"]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """From ``low`` to ``high``, differences of test results (0..1)."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{signed(self.low)} to {signed(self.high)}"

    @property
    def outcome(self) -> Outcome:
        """The conclusion that the interval allows: better or worse only if it excludes 0."""
        return "better" if self.low > 0 else "worse" if self.high < 0 else "not distinguishable"


@dataclass(frozen=True)
class Comparison:
    """The mean test result of ``ours`` minus that of ``theirs``, 0..1.

    ``over_seeds`` is Welch's interval over the seeds alone. ``image_error`` is the standard error over the ``images``
    test images for these trainings (paired, as in McNemar's test). ``interval`` covers both and is never narrower than
    either; ``p_value`` (two-sided) belongs to it. Both are None unless each network was trained at least twice.
    """

    ours: str
    theirs: str
    difference: float
    images: int
    image_error: float
    over_seeds: Interval | None
    interval: Interval | None
    p_value: float | None

    @property
    def outcome(self) -> Outcome:
        """The verdict in one or two words."""
        return self.interval.outcome if self.interval else "no interval"

    @property
    def words(self) -> str:
        """The verdict with the numbers behind it."""
        by = f"by {points(abs(self.difference))} points"
        floor = f"standard error over the {self.images} test images: {points(self.image_error)} points"
        if self.interval is None or self.over_seeds is None:
            way = f"{'higher' if self.difference > 0 else 'lower'} {by}" if self.difference else "equal"
            return f"{way}, which proves nothing: an interval needs two seeds or more of both ({floor})"
        interval = f"95 % interval {self.interval}"
        parts = f"over seeds alone {self.over_seeds}; {floor}"
        if self.outcome == "not distinguishable":
            return f"not distinguishable: {signed(self.difference)} points ({interval} includes 0; {parts})"
        return f"{self.outcome} {by} ({interval}; {parts})"


@dataclass(frozen=True, eq=False)
class Scores:
    """The contributions of each image in every training of one network, (seeds, images); booleans for accuracy."""

    name: str
    parts: Bools | Floats

    @property
    def results(self) -> Floats:
        """The test result by seed, 0..1."""
        return np.asarray(self.parts.mean(axis=1), dtype=np.float64)


def compare(ours: Scores, theirs: Scores) -> Comparison:
    """The comparison of ``ours`` and ``theirs`` on the same images, in the same order."""
    images = ours.parts.shape[1]
    difference = float(ours.results.mean() - theirs.results.mean())
    paired, apart = _image_variances(ours.parts, theirs.parts)
    error = math.sqrt(paired)
    if min(len(ours.parts), len(theirs.parts)) < 2:
        return Comparison(ours.name, theirs.name, difference, images, error, None, None, None)
    seeds = [(float(t.results.var(ddof=1)) / len(t.parts), len(t.parts) - 1) for t in (ours, theirs)]
    alone = _interval(difference, seeds)
    both = _interval(difference, [*seeds, (apart, max(1, images - 1))])
    floor = _interval(difference, [(paired, max(1, images - 1))])  # in case the seeds happen to agree
    interval, p_value = max(alone, both, floor, key=lambda found: found[0].high)
    return Comparison(ours.name, theirs.name, difference, images, error, alone[0], interval, p_value)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted by Holm's step-down procedure."""
    adjusted, most = [1.0] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        most = max(most, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = most
    return adjusted


def _interval(difference: float, parts: Sequence[tuple[float, int]]) -> tuple[Interval, float]:
    """The interval and the two-sided p-value from variances of means and their degrees of freedom
    (Welch-Satterthwaite).
    """
    from scipy.special import stdtr, stdtrit

    variance = sum(part for part, _ in parts)
    if variance == 0:
        return Interval(difference, difference), float(difference == 0)
    freedom: float = variance**2 / sum(part**2 / degrees for part, degrees in parts)
    error = math.sqrt(variance)
    width = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * error
    p_value = 2 * float(stdtr(freedom, -abs(difference) / error))
    return Interval(difference - width, difference + width), p_value


def _image_variances(ours: Bools | Floats, theirs: Bools | Floats) -> tuple[float, float]:
    """Variance of the mean difference due to the choice of images: for these trainings, and without the seeds' part.

    Differences between images that are due to the seeds belong to the variance over seeds and are not counted twice.
    """
    images = ours.shape[1]
    if images < 2:
        return 0.0, 0.0
    paired = float((ours.mean(axis=0) - theirs.mean(axis=0)).var(ddof=1))
    by_chance = sum(float(r.var(axis=0, ddof=1).mean()) / len(r) for r in (ours, theirs) if len(r) > 1)
    return paired / images, max(0.0, paired - by_chance) / images


def points(accuracy: float) -> str:
    """A share as percentage points: ``1.25``."""
    return f"{100 * accuracy:.2f}"


def signed(difference: float) -> str:
    """A difference of accuracies in percentage points: ``+1.25``, ``−0.40``, ``0.00``."""
    shown = points(abs(difference))
    return shown if float(shown) == 0 else f"{'+' if difference > 0 else '−'}{shown}"
