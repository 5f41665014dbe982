"""Numbers as people write them: ``10000000``, ``10_000_000``, ``10,000,000``, ``1e7`` and ``10M`` are one number.

Options of study files, the command line and Python calls are read here. Also formats counts, such as ``2 trials``.
"""

from __future__ import annotations

import re
import sys
from decimal import Decimal
from typing import Any

UNITS = {"k": 3, "K": 3, "M": 6, "G": 9, "B": 9, "T": 12}
EXAMPLES = "10000000, 10_000_000, 1e7 or 10M"
_DIGITS = r"(?:(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+(?:_[0-9]+)*)(?:\.[0-9]*)?|\.[0-9]+)"
PATTERN = rf"^\s*[-+]?{_DIGITS}(?:[eE][-+]?[0-9]{{1,3}})?\s?[kKMGBT]?\s*$"
"""A regular expression of every accepted form (also for JSON Schemas)."""
_NUMBER = re.compile(PATTERN)
_LONGEST = 40


def number(value: Any) -> Any:
    """The number that a text stands for: an int if it is whole, else a float; other values are returned unchanged.

    >>> number("10M"), number("1,000"), number("2.5k"), number("0.1"), number("many")
    (10000000, 1000, 2500, 0.1, 'many')
    """
    if not isinstance(value, str) or len(value) > _LONGEST or not _NUMBER.match(value):
        return value
    text = value.strip().replace(",", "").replace("_", "")
    unit = UNITS.get(text[-1], 0)
    exact = Decimal(text[:-1].strip() if unit else text).scaleb(unit)
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def whole(value: Any) -> Any:
    """Like :func:`number`, with a float without a fraction, such as ``1e6``, as an int."""
    value = number(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def is_finite(value: float) -> bool:
    """Whether ``value`` is finite: not NaN, infinite, or an int too large for a float.

    >>> is_finite(1e300), is_finite(float("inf")), is_finite(10**400)
    (True, False, False)
    """
    return abs(value) <= sys.float_info.max


def spelling(value: Any) -> str | None:
    """A hint on how to write a text that is almost a number; None if there is none."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    if re.match(r"[0-9]+,[0-9]{1,2}[a-zA-Z]?$", text):
        return f"a comma separates thousands; write {text.replace(',', '.')!r}"
    unit = re.match(r"([0-9.,_]+)\s*([a-zA-Z]+)$", text)
    if unit is None:
        return None
    meant = {"m": "M", "g": "G", "b": "B", "t": "T", "million": "M", "mio": "M", "mb": "M", "gb": "G", "billion": "G"}
    if (letter := meant.get(unit[2].lower())) is not None:
        return f"write {unit[1] + letter!r}"
    return f"units are {', '.join(UNITS)}"


def counted(number: int, thing: str) -> str:
    """``1 trial``, ``2 trials``, ``1,024 trials``: ``thing`` is what is counted, in the singular.

    >>> counted(1, "epoch"), counted(20, "epoch")
    ('1 epoch', '20 epochs')
    """
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def class_count(number: int) -> str:
    """How many classes, without commas.

    >>> class_count(1), class_count(1000)
    ('1 class', '1000 classes')
    """
    return f"{number} class" if number == 1 else f"{number} classes"
