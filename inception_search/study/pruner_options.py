"""The options of each pruner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import Field

from inception_search.errors import unknown_name
from inception_search.options import Options, Whole, read_options

Eta: TypeAlias = Annotated[int, Field(strict=True, ge=2, le=16)]


class MedianOptions(Options):
    """The options of ``median``."""

    startup: Whole = 8
    """Number of comparable trials that must have reached an epoch before a trial can be stopped there."""
    first_epoch: Whole | None = None
    """The first epoch at which a trial may be stopped (default: the first epoch of the second half)."""


class AshaOptions(Options):
    """The options of ``asha``, and of the other pruners with rungs."""

    eta: Eta = 3
    """Reduction factor: the best 1/eta of the trials at a rung continue, and the next rung has eta times the epochs."""
    min_epochs: Whole = 1
    """Epochs of a trial up to the first rung."""


class HalvingOptions(AshaOptions):
    """The options of ``halving``."""

    cohort: Annotated[int, Field(strict=True, ge=2, le=10**6)] | None = None
    """Number of trials in a cohort, which are ranked together (default: `eta` to the power of the number of rungs)."""


class HyperbandOptions(AshaOptions):
    """The options of ``hyperband``."""

    brackets: Whole | None = None
    """Number of brackets: 1 has only the one that starts at the first rung, 2 adds the one that starts at the second
    rung, and so on (default: the number of rungs plus one)."""


PRUNER_OPTIONS: dict[str, type[Options]] = {
    "median": MedianOptions,
    "asha": AshaOptions,
    "halving": HalvingOptions,
    "hyperband": HyperbandOptions,
    "none": Options,
}


def pruner_options(name: str, given: Mapping[str, Any]) -> Options:
    """The options of the pruner ``name``, checked. Raises UnknownNameError or ConfigError."""
    if name not in PRUNER_OPTIONS:
        raise unknown_name("pruner", name, PRUNER_OPTIONS)
    return read_options(PRUNER_OPTIONS[name], given, owner=f"pruner {name}", path="pruner_options")
