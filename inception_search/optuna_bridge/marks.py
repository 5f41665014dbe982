"""What samplers write down with trials and studies, as far as a run folder can hold it: plain values.

Some samplers write pickles, as texts. Reading a pickle runs what it says, and a run folder may come from others: such
texts are neither kept nor believed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

_BLOB = re.compile(r"[0-9A-Za-z+/=_-]{200,}\Z")


def plain(marks: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the marks that are plain values."""
    return {str(name): value for name, value in marks.items() if is_plain(value)}


def is_plain(value: Any) -> bool:
    """Whether a value is a number, a short or spoken text, or a list or mapping of such."""
    if isinstance(value, str):
        return _BLOB.match(value) is None
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and is_plain(item) for name, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    return value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
