"""The provenance of a study: package versions in records, and machines and software in ``env.json``."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from importlib import metadata
from typing import Any, Final

from inception_search._version import __version__
from inception_search.on_device.runtime import processor
from inception_search.store.atomic import write_atomic
from inception_search.store.run_folder import RunFolder

COMPARED = ("inception-search", "torch")  # packages whose versions influence the result of a training


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """The version of each relevant package, by name."""
    own = {"python": platform.python_version(), "inception-search": __version__}
    return own | {name: metadata.version(name) for name in ("torch", "optuna")}


def fingerprint(space_text: str) -> str:
    """A short digest of a space document."""
    return sha256(space_text.encode()).hexdigest()[:16]


def common_facts(run: RunFolder) -> dict[str, str]:
    """The facts that search and workers must share: the versions of this package and of torch, and the space.

    The build of torch (``+cpu``, ``+cu126``) is ignored, because search and workers may use different devices.
    """
    return common_versions() | {"space": fingerprint(run.space_text())}


def common_versions() -> dict[str, str]:
    """The versions of this package and of torch, without the build of torch."""
    return {name: versions()[name].partition("+")[0] for name in COMPARED}


def differences(theirs: Mapping[str, Any], ours: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Name, their value and our value of each fact that both have and that differs."""
    for name, value in ours.items():
        if name in theirs and theirs[name] != value:
            yield name, str(theirs[name]), value


SCHEMA: Final = "inception-search/environment"
VERSION: Final = 1


def environment(device: str, threads: int | None) -> dict[str, str]:
    """Facts of this machine: system, processor, cores, threads per trial, device, versions; no host, user or path."""
    return {
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "processor": processor(),
        "cores": str(cores()),
        **({} if threads is None else {"threads of a trial": str(threads)}),
        "device": _device(device),
        **versions(),
    }


def note_environment(run: RunFolder, device: str, threads: int | None, first_trial: int) -> None:
    """Record the environment from trial ``first_trial`` on, if it differs from the last recorded one.

    Raises :class:`RunFolderError` or :class:`StorageFullError` if the file cannot be written.
    """
    known = read_environments(run)
    now = environment(device, threads)
    if known and {name: value for name, value in known[-1].items() if name != "from trial"} == now:
        return
    entries = [*known, {"from trial": str(first_trial), **now}]
    document = {"schema": SCHEMA, "version": VERSION, "environments": entries}
    write_atomic(run.environment_file, json.dumps(document, indent=1) + "\n")


def read_environments(run: RunFolder) -> list[dict[str, str]]:
    """The recorded environments, oldest first; empty for an older study or a damaged file."""
    try:
        document = json.loads(run.environment_file.read_text(encoding="utf-8"))
        entries = document["environments"] if document["schema"] == SCHEMA else []
        return [{str(name): str(value) for name, value in entry.items()} for entry in entries]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _device(device: str) -> str:
    if not device.startswith("cuda"):
        return device
    import torch

    if not torch.cuda.is_available():  # the GPUs are those of the nodes of a cluster
        return device
    facts: Any = torch.cuda.get_device_properties(device)
    return f"{device}, {facts.name}, {facts.total_memory / 2**30:.0f} GiB"
