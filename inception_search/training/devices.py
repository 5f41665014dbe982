"""Selection and description of devices, and temporary machine settings for a run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

from inception_search.backend.recorder import fastest_kernels
from inception_search.errors import ConfigError, did_you_mean

_NAMES = ("auto", "cpu", "cuda")


def pick_device(name: str = "auto") -> torch.device:
    """``"auto"`` (the GPU if there is one), ``"cpu"``, ``"cuda"`` or ``"cuda:<number>"`` as a device.

    Raises ConfigError for any other name and for a GPU that does not exist.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        return torch.device("cpu")
    if not re.fullmatch(r"cuda(:\d+)?", name):
        expected = "one of " + ", ".join(_NAMES) + ", cuda:<number>"
        hint = did_you_mean(name, _NAMES)
        raise ConfigError("unknown device", path="device", found=name, expected=expected, hint=hint)
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    index = int(name.partition(":")[2] or 0)
    if index >= count:
        found = f"{count} CUDA devices"
        hint = "use device 'auto' or 'cpu', or install a torch built for CUDA"
        raise ConfigError(f"device {name!r} is not there", path="device", found=found, hint=hint)
    return torch.device("cuda", index)


def describe_device(device: torch.device) -> str:
    """A description of the device, e.g. ``"cuda:0 NVIDIA H200, 139.7 GiB"`` or ``"cpu AVX512, 2 threads"``."""
    if device.type == "cuda":
        facts = torch.cuda.get_device_properties(device)
        return f"cuda:{device.index or 0} {facts.name}, {facts.total_memory / 1024**3:.1f} GiB"
    return f"{device} {torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads"


def forget_peak(device: torch.device) -> None:
    """Reset the value of :func:`peak_memory`."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> int:
    """The peak of allocated GPU memory in bytes since :func:`forget_peak`; 0 on a CPU."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0


@contextmanager
def settings(device: torch.device, *, threads: int | None, seed: int) -> Iterator[None]:
    """Set torch's threads, random state and cuDNN autotuning for a run, and restore them afterwards."""
    with ExitStack() as undo:
        if threads is not None:
            undo.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(threads)
        undo.enter_context(_seeded(device, seed))
        if device.type == "cuda":
            undo.enter_context(fastest_kernels())
        yield


@contextmanager
def _seeded(device: torch.device, seed: int) -> Iterator[None]:
    """Seed torch's global generators (dropout, stochastic depth) of the CPU and ``device``; restore them at the end."""
    with ExitStack() as undo:
        if device.type == "cuda":
            undo.enter_context(torch.cuda.device(device))
            undo.enter_context(torch.random.fork_rng([torch.cuda.current_device()]))
            torch.cuda.manual_seed(seed)
        else:
            undo.enter_context(torch.random.fork_rng([]))
        torch.default_generator.manual_seed(seed)
        yield
