"""The weights of classes in the training loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inception_search.errors import ConfigError, did_you_mean
from inception_search.numbers import is_finite

ClassWeights = str | Mapping[str, float]
EXPECTED = "balanced, none, or a weight above 0 for classes by their names"


def is_usable(value: Any) -> bool:
    """Whether ``value`` is ``balanced``, ``none`` or a mapping of names to finite numbers above 0."""
    if not isinstance(value, Mapping):
        return isinstance(value, str) and value in ("balanced", "none")
    numbers = [n for n in value.values() if isinstance(n, int | float) and not isinstance(n, bool)]
    return len(numbers) == len(value) > 0 and all(n > 0 and is_finite(n) for n in numbers)


def weights_of(chosen: ClassWeights, classes: Sequence[str], counts: Sequence[int]) -> tuple[float, ...] | None:
    """The weight of each class in label order; None for equal weights.

    Args:
        chosen: ``none``; ``balanced``, as scikit-learn defines it: images / (classes * images of the class); or weights
            by class name, 1 for those not named.
        classes: names in label order.
        counts: training images of each class.

    Raises ConfigError for a name that is not a class.

    >>> weights_of("balanced", ("ok", "bad"), (90, 10))
    (0.5555555555555556, 5.0)
    """
    if isinstance(chosen, Mapping):
        for name in chosen:
            if name not in classes:
                known = ", ".join(classes) if len(classes) <= 20 else f"{', '.join(classes[:20])} ..."
                expected = f"names of classes: {known}"
                hint = did_you_mean(name, classes)
                raise ConfigError("no such class", path="class_weights", found=name, expected=expected, hint=hint)
        return tuple(float(chosen.get(name, 1.0)) for name in classes)
    if chosen == "none":
        return None
    there = sum(count > 0 for count in counts)
    return tuple(sum(counts) / (there * count) if count else 0.0 for count in counts)


def parse_class_weights(value: Any) -> Any:
    """Convert an option from the user (``"ok=1,bad=10"``, a mapping, None) to the form for :func:`weights_of`.

    Raises ValueError for invalid values.
    """
    if value is None:
        return "none"
    if isinstance(value, str) and "=" in value:
        value = _weights_in(value)
    if isinstance(value, Mapping):
        try:
            value = {str(name).strip(): _weight(weight) for name, weight in value.items()}
        except (TypeError, ValueError, OverflowError):
            raise ValueError(EXPECTED) from None
    if not is_usable(value):
        raise ValueError(EXPECTED)
    return value


def _weights_in(text: str) -> dict[str, str]:
    """The names and weights in ``"ok=1,bad=10"``; raises ValueError for a missing weight or a repeated name."""
    pairs = [part.rpartition("=") for part in text.split(",") if part.strip()]
    found = {name.strip(): weight for name, equals, weight in pairs if equals}
    if len(found) < len(pairs):
        raise ValueError(EXPECTED)
    return found


def _weight(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError("not a number")
    return float(value)
