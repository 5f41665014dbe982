"""The machine and the software a study ran with, kept in ``env.json``: one entry for each that differs."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any, Final

from inception_search.store.atomic import write_atomic
from inception_search.store.provenance import versions
from inception_search.store.run_folder import RunFolder

SCHEMA: Final = "inception-search/environment"
VERSION: Final = 1
_CPUS = Path("/proc/cpuinfo")


def environment(device: str, threads: int | None) -> dict[str, str]:
    """This machine: system, processor, cores, threads of a trial, device, versions; no names of hosts, users, paths."""
    return {
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "processor": _processor(),
        "cores": str(cores()),
        **({} if threads is None else {"threads of a trial": str(threads)}),
        "device": _device(device),
        **versions(),
    }


def note_environment(run: RunFolder, device: str, threads: int | None, first_trial: int) -> None:
    """Write down what the search goes on with from trial ``first_trial``, where it differs from what it had before.

    Raises :class:`RunFolderError` or :class:`StorageFullError` where it cannot be written.
    """
    known = read_environments(run)
    now = environment(device, threads)
    if known and {name: value for name, value in known[-1].items() if name != "from trial"} == now:
        return
    entries = [*known, {"from trial": str(first_trial), **now}]
    document = {"schema": SCHEMA, "version": VERSION, "environments": entries}
    write_atomic(run.environment_file, json.dumps(document, indent=1) + "\n")


def read_environments(run: RunFolder) -> list[dict[str, str]]:
    """What was written down, oldest first; nothing for a study of before, or a file that is damaged."""
    try:
        document = json.loads(run.environment_file.read_text(encoding="utf-8"))
        entries = document["environments"] if document["schema"] == SCHEMA else []
        return [{str(name): str(value) for name, value in entry.items()} for entry in entries]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _processor() -> str:
    """The model of the processor as the system calls it."""
    try:
        lines = _CPUS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _device(device: str) -> str:
    if not device.startswith("cuda"):
        return device
    import torch

    facts: Any = torch.cuda.get_device_properties(device)
    return f"{device}, {facts.name}, {facts.total_memory / 2**30:.0f} GiB"
