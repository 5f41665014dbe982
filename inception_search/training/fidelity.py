"""How a network is trained: everything that decides the outcome besides network, data and seed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

from inception_search.errors import ConfigError, did_you_mean

Precision = Literal["float32", "bfloat16"]
_PRECISIONS = ("float32", "bfloat16")
# The least value of each whole number; a batch of one defeats batch norm.
_WHOLE = {"epochs": 1, "batch_size": 2, "threads": 1, "norm_images": 0}


@dataclass(frozen=True)
class _Range:
    """Finite numbers from ``low`` to ``high``; the ends may be left out."""

    low: float
    high: float
    low_in: bool = True
    high_in: bool = True

    def holds(self, value: float) -> bool:
        above = value > self.low or (self.low_in and value == self.low)
        below = value < self.high or (self.high_in and value == self.high)
        return math.isfinite(value) and above and below

    def __str__(self) -> str:
        high = f" and {'at most' if self.high_in else 'below'} {self.high:g}" if self.high < math.inf else ""
        return f"a number {'at least' if self.low_in else 'above'} {self.low:g}{high}"


_RANGES = {
    "learning_rate": _Range(0, math.inf, low_in=False),
    "momentum": _Range(0, 1, high_in=False),
    "weight_decay": _Range(0, math.inf),
    "label_smoothing": _Range(0, 1, high_in=False),
    "warmup": _Range(0, 1, high_in=False),
    "gradient_clip": _Range(0, math.inf, low_in=False),
}


@dataclass(frozen=True)
class Fidelity:
    """SGD with Nesterov momentum, one-cycle learning rate, label smoothing; ConfigError for bad values.

    ``learning_rate`` is the peak; ``warmup`` the fraction of all steps it rises over; ``weight_decay`` spares
    norm scales and biases; ``gradient_clip`` bounds the gradient's norm; ``norm_images`` training images set
    the batch norm statistics before each validation (0: the running averages are used as they are);
    ``precision`` bfloat16 is autocast; ``threads`` is torch's thread count meanwhile (None: as it is).
    """

    epochs: int = 8
    batch_size: int = 64
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    warmup: float = 0.25
    gradient_clip: float = 5.0
    norm_images: int = 512
    augment: bool = True
    precision: Precision = "float32"
    threads: int | None = None

    def __post_init__(self) -> None:
        for name, least in _WHOLE.items():
            _check_whole(name, getattr(self, name), least)
        for name, allowed in _RANGES.items():
            _check_number(name, getattr(self, name), allowed)
        if not isinstance(self.augment, bool):
            raise _bad("augment", self.augment, "true or false")
        if self.precision not in _PRECISIONS:
            raise _bad("precision", self.precision, "one of " + ", ".join(_PRECISIONS))

    def to_dict(self) -> dict[str, Any]:
        """Field names to plain JSON values; :meth:`from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The fidelity with these fields, defaults elsewhere; ConfigError for unknown names or bad values."""
        known = [field.name for field in fields(cls)]
        for name in values:
            if name not in known:
                mend = did_you_mean(str(name), known)
                expected = "one of " + ", ".join(known)
                raise ConfigError("unknown fidelity field", found=name, expected=expected, mend=mend)
        return cls(**values)


def _check_whole(name: str, value: Any, least: int) -> None:
    if name == "threads" and value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise _bad(name, value, f"a whole number of at least {least}")


def _check_number(name: str, value: Any, allowed: _Range) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not allowed.holds(value):
        raise _bad(name, value, str(allowed))


def _bad(name: str, found: Any, expected: str) -> ConfigError:
    return ConfigError("the value cannot be used", path=f"fidelity.{name}", found=found, expected=expected)
