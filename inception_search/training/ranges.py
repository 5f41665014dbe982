"""What the fields of a fidelity may hold, as tables, and the check that names the field it refuses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inception_search.errors import ConfigError
from inception_search.numbers import is_finite


@dataclass(frozen=True)
class Range:
    """Finite numbers from ``low`` to ``high``; the ends may be left out."""

    low: float
    high: float = math.inf
    low_in: bool = True
    high_in: bool = True

    def holds(self, value: float) -> bool:
        """Whether ``value`` is one of them."""
        above = value > self.low or (self.low_in and value == self.low)
        below = value < self.high or (self.high_in and value == self.high)
        return is_finite(value) and above and below

    def __str__(self) -> str:
        high = f" and {'at most' if self.high_in else 'below'} {self.high:g}" if self.high < math.inf else ""
        return f"a number {'at least' if self.low_in else 'above'} {self.low:g}{high}"


_FRACTION = Range(0, 1, high_in=False)
_POSITIVE = Range(0, low_in=False)

RANGES: Mapping[str, Range] = {
    "learning_rate": _POSITIVE,
    "momentum": _FRACTION,
    "weight_decay": Range(0),
    "label_smoothing": _FRACTION,
    "warmup": _FRACTION,
    "decay": Range(0, 1),
    "gradient_clip": _POSITIVE,
    "epsilon": _POSITIVE,
    "alpha": _FRACTION,
    "ema": _FRACTION,
    "cutout": _FRACTION,
    "width": _POSITIVE,
    "depth": _POSITIVE,
}
# The least value of each whole number; a batch of one defeats batch norm.
WHOLE: Mapping[str, int] = {
    "epochs": 1,
    "batch_size": 2,
    "threads": 1,
    "norm_images": 0,
    "curve_images": 1,
    "image_size": 1,
    "train_images": 1,
}
OPTIONAL = ("threads", "image_size", "train_images", "epsilon", "alpha")  # None: unset


def check_fields(values: Mapping[str, Any]) -> None:
    """ConfigError, with the field as its path, for the first value outside :data:`WHOLE` and :data:`RANGES`."""
    for name, least in WHOLE.items():
        if not (name in OPTIONAL and values[name] is None):
            _check_whole(name, values[name], least)
    for name, allowed in RANGES.items():
        if not (name in OPTIONAL and values[name] is None):
            _check_number(name, values[name], allowed)


def bad(name: str, found: Any, expected: str, mend: str | None = None) -> ConfigError:
    """The error for a field ``name`` of a fidelity."""
    return ConfigError("the value cannot be used", path=f"fidelity.{name}", found=found, expected=expected, mend=mend)


def _check_whole(name: str, value: Any, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise bad(name, value, f"a whole number of at least {least}")


def _check_number(name: str, value: Any, allowed: Range) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not allowed.holds(value):
        raise bad(name, value, str(allowed))
