"""The state of a sampler: compared with another sampler, copied, and reseeded."""

from __future__ import annotations

import copy
import math
import random
import re
from collections.abc import Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
from optuna.samplers import BaseSampler
from optuna.samplers._lazy_random_state import LazyRandomState

RANDOM = (LazyRandomState, np.random.RandomState, np.random.Generator, random.Random)


def reseeded(sampler: BaseSampler, seed: int) -> BaseSampler:
    """A copy of the sampler whose random numbers all follow from ``seed``."""
    made = copy.deepcopy(sampler)
    rng = random.Random(seed)
    for part in _inside(made, {}):
        if isinstance(part, RANDOM):
            _seed(part, rng.getrandbits(31))
    return made


def parts_of(sampler: BaseSampler) -> list[Any]:
    """The objects with attributes that a sampler contains, without the sampler itself."""
    return [part for part in _inside(sampler, {}) if hasattr(part, "__dict__") and part is not sampler]


def same(one: Any, other: Any, seen: set[tuple[int, int]] | None = None) -> bool:
    """Whether two objects are equal except for their random numbers."""
    seen = set() if seen is None else seen
    if one is other or (id(one), id(other)) in seen:
        return True
    if type(one) is not type(other):
        return False
    seen.add((id(one), id(other)))
    if isinstance(one, RANDOM):
        return True
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key], seen) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(a, b, seen) for a, b in zip(one, other, strict=True))
    if hasattr(one, "__dict__") and not isinstance(one, type | FunctionType | ModuleType):
        return same(vars(one), vars(other), seen)
    return bool(one == other)


def _inside(value: Any, seen: dict[int, Any]) -> Iterator[Any]:
    """The value and everything it contains, each once, in insertion order."""
    if id(value) in seen or isinstance(value, type | FunctionType | ModuleType | np.ndarray | str | int | float | None):
        return
    seen[id(value)] = value
    yield value
    if isinstance(value, RANDOM):
        return
    if isinstance(value, dict):
        held: Any = value.values()
    elif isinstance(value, list | tuple):
        held = value
    else:
        held = vars(value).values() if hasattr(value, "__dict__") else ()
    for part in held:
        yield from _inside(part, seen)


def _seed(part: Any, seed: int) -> None:
    if isinstance(part, LazyRandomState):
        part.rng.seed(seed)
    elif isinstance(part, np.random.Generator):
        part.bit_generator.state = type(part.bit_generator)(seed).state
    else:
        part.seed(seed)


_BLOB = re.compile(r"[0-9A-Za-z+/=_-]{200,}\Z")


def plain(marks: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that a sampler stores with trials and studies, restricted to plain values.

    Some samplers store pickles as strings. Unpickling executes code, and a run folder may come from somebody else: such
    strings are neither stored nor read.
    """
    return {str(name): value for name, value in marks.items() if is_plain(value)}


def is_plain(value: Any) -> bool:
    """Whether a value is a number, a string that is not an encoded blob, or a list or mapping of plain values."""
    if isinstance(value, str):
        return _BLOB.match(value) is None
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and is_plain(item) for name, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    return value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
