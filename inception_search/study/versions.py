"""The versions a record was made with."""

from __future__ import annotations

import platform
from functools import lru_cache
from importlib import metadata

from inception_search import __version__


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Package name to version."""
    own = {"python": platform.python_version(), "inception-search": __version__}
    return own | {name: metadata.version(name) for name in ("torch", "optuna")}
