"""The versions a record was made with, and what a worker must have in common with the search it works for."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from importlib import metadata
from typing import Any

from inception_search._version import __version__
from inception_search.store.run_folder import RunFolder

COMPARED = ("inception-search", "torch")  # versions that decide what a training comes to


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Package name to version."""
    own = {"python": platform.python_version(), "inception-search": __version__}
    return own | {name: metadata.version(name) for name in ("torch", "optuna")}


def fingerprint(space_text: str) -> str:
    """A short digest of a space document."""
    return sha256(space_text.encode()).hexdigest()[:16]


def common_facts(run: RunFolder) -> dict[str, str]:
    """What this process has of a study: the versions of this package and of torch, and the space.

    A build of torch (``+cpu``, ``+cu126``) is no other version: the search and its workers may use different devices.
    """
    known = {name: versions()[name].partition("+")[0] for name in COMPARED}
    return known | {"space": fingerprint(run.space_text())}


def differences(theirs: Mapping[str, Any], ours: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Name, their value and ours of everything that both know and that differs."""
    for name, value in ours.items():
        if name in theirs and theirs[name] != value:
            yield name, str(theirs[name]), value
