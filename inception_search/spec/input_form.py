"""The short forms of a network's input; apart from the other short forms, since completion reads dialects with it."""

from __future__ import annotations

from typing import Any


def expand_input(item: Any) -> Any:
    """``3x299x299`` and ``[3, 299, 299]`` as fields."""
    parts = item.split("x") if isinstance(item, str) else item
    if isinstance(parts, list) and len(parts) == 3:
        numbers = [int(p) if isinstance(p, str) and p.isdecimal() and len(p) < 9 else p for p in parts]
        return dict(zip(("channels", "height", "width"), numbers, strict=True))
    return item
