"""A sampler that was given in Python, and the name by which a study remembers it. Optuna is not imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

OPTUNA, HUB, OWN = "optuna:", "optunahub:", "python:"
PREFIXES = (OPTUNA, HUB, OWN)
"""How names of samplers begin: Optuna's own, OptunaHub's, those that only Python can give."""


class GivenSampler(str):
    """As a text the sampler's name, ``python:`` and its import path; the sampler itself is :attr:`sampler`."""

    sampler: BaseSampler

    def __new__(cls, name: str, sampler: BaseSampler) -> GivenSampler:
        self = super().__new__(cls, name)
        self.sampler = sampler
        return self

    def __getnewargs__(self) -> tuple[str, BaseSampler]:  # type: ignore[override]
        return str(self), self.sampler


def is_sampler(value: Any) -> bool:
    """Whether ``value`` is a sampler of Optuna's, or of a class derived from one."""
    return any(kind.__name__ == "BaseSampler" and kind.__module__.startswith("optuna.") for kind in type(value).__mro__)
