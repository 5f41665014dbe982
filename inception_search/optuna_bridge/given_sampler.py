"""A sampler object passed from Python, and the name under which a study stores it. Optuna is not imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

OPTUNA, HUB, OWN = "optuna:", "optunahub:", "python:"
PREFIXES = (OPTUNA, HUB, OWN)
"""Prefixes of sampler names: Optuna's own, OptunaHub's, and those that can only be passed from Python."""


class GivenSampler(str):
    """The sampler's name as a string, ``python:`` and its import path; the object itself is :attr:`sampler`."""

    sampler: BaseSampler

    def __new__(cls, name: str, sampler: BaseSampler) -> GivenSampler:
        self = super().__new__(cls, name)
        self.sampler = sampler
        return self

    def __getnewargs__(self) -> tuple[str, BaseSampler]:  # type: ignore[override]
        return str(self), self.sampler


def is_sampler(value: Any) -> bool:
    """Whether ``value`` is an instance of Optuna's BaseSampler or of a class derived from it."""
    return any(kind.__name__ == "BaseSampler" and kind.__module__.startswith("optuna.") for kind in type(value).__mro__)
