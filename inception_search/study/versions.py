"""The versions a record was made with."""

from __future__ import annotations

import platform
from functools import lru_cache
from importlib import metadata


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Package name to version."""
    names = ("inception-search", "torch", "optuna")
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}
