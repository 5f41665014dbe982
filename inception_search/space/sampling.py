"""Answers for one hole: a random value, the value of an Optuna trial, or the first value."""

from __future__ import annotations

import math
import random
from typing import Any, Protocol

from inception_search.space.holes import Choice, Float, Hole, Integer, Value


class SuggestTrial(Protocol):
    """The methods of an Optuna trial that a space calls."""

    def suggest_categorical(self, name: str, choices: Any) -> Any: ...
    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int: ...
    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float: ...


def random_of(seed: int | random.Random) -> random.Random:
    """``random.Random(seed)``; a given ``random.Random`` is returned unchanged."""
    return seed if isinstance(seed, random.Random) else random.Random(seed)


def draw(hole: Hole, rng: random.Random) -> Value:
    """A random value of ``hole``, by its weights, or uniform on its (linear or logarithmic) scale."""
    if isinstance(hole, Choice):
        return rng.choices(hole.domain, hole.weights)[0] if hole.weights else rng.choice(hole.domain)
    if hole.log:
        low, high = math.log(hole.low), math.log(hole.high if isinstance(hole, Float) else hole.high + 1)
        drawn = math.exp(rng.uniform(low, high))
        return min(hole.high, max(hole.low, drawn if isinstance(hole, Float) else int(drawn)))
    if isinstance(hole, Float) and hole.domain is None:
        return rng.uniform(hole.low, hole.high)
    return hole.domain[rng.randrange(len(hole.domain))]  # type: ignore[index, arg-type]


def ask(hole: Hole, trial: SuggestTrial) -> Value:
    """The value that an Optuna trial suggests for ``hole``."""
    if isinstance(hole, Choice):
        return str(trial.suggest_categorical(hole.name, hole.domain))
    if isinstance(hole, Integer):
        return trial.suggest_int(hole.name, hole.low, hole.high, step=hole.step, log=hole.log)
    if hole.domain is None:
        return trial.suggest_float(hole.name, hole.low, hole.high, log=hole.log)
    value = trial.suggest_float(hole.name, hole.low, hole.high, step=hole.step)
    return min(hole.domain, key=lambda member: abs(member - value))


def first(hole: Hole) -> Value:
    """The first value of ``hole``."""
    return hole.domain[0] if isinstance(hole, Choice) else hole.low
