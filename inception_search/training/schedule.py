"""The learning rate over a run: up in a line, then down along half a cosine to zero."""

from __future__ import annotations

import math


def learning_rate_factor(step: int, steps: int, warmup: float) -> float:
    """What to multiply the peak learning rate by at ``step`` (0..steps-1) of ``steps``.

    The first ``warmup`` (fraction) of the steps rise linearly to 1, reached at their last step; the rest
    falls to just above 0, so that no step is wasted on a rate of zero.
    """
    rising = round(warmup * steps)
    if step < rising:
        return (step + 1) / rising
    done = (step - rising) / max(1, steps - rising)
    return (1 + math.cos(math.pi * done)) / 2
