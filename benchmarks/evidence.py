"""What benchmarks say of their figures: how sure they are, and on what they were taken."""

from __future__ import annotations

import math
import os
import platform
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

INSTRUCTIONS = {"avx512f": "AVX512", "avx2": "AVX2"}  # flag of the processor -> its name; speed depends on it

# Flags of the processor that decide how fast networks are computed in float32, bfloat16 and int8.
DECISIVE = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "asimd", "bf16")


def half_interval(values: list[float]) -> float:
    """Half of the 95 % interval of a mean (Student's t); infinite for one value, which says nothing of its spread."""
    from scipy.stats import t

    if len(values) < 2:
        return math.inf
    return float(t.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))


def processor() -> str:
    """The processor's name, how many cores there are, and the widest vector instructions: ``AMD EPYC x 2, AVX512``."""
    words = _cpuinfo()
    widest = next((word for flag, word in INSTRUCTIONS.items() if flag in words.get("flags", "").split()), None)
    if "model name" in words:
        return ", ".join([f"{words['model name']} x {os.cpu_count()}", *([widest] if widest else [])])
    return f"{platform.machine()} x {os.cpu_count()}"


def instructions() -> list[str]:
    """The sets of vector and matrix instructions that the processor has, of those that matter for networks."""
    words = _cpuinfo()
    flags = (words.get("flags") or words.get("Features", "")).split()
    return [flag for flag in DECISIVE if flag in flags]


def _cpuinfo() -> dict[str, str]:
    """What Linux says of the first core; nothing on other systems."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        about = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
        return {name.strip(): text.strip() for name, text in about.items()}
    return {}


def facts_of_speed(threads: int, packages: Sequence[str]) -> dict[str, Any]:
    """What the speed of networks depends on: hardware, instruction sets, threads and versions."""
    import torch

    found = {"processor": processor(), "instructions": instructions(), "threads": threads}
    found |= {"torch_uses": torch.backends.cpu.get_cpu_capability(), "python": platform.python_version()}
    return found | {package: _version(package) for package in packages}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


class Others:
    """How much of the processor's time other processes use, from when this is made on."""

    def __init__(self) -> None:
        self.begun, self.wall = _busy_of_others(), time.perf_counter()

    def share(self) -> float | None:
        """0..1 of all cores; None where the system does not say. Above a few hundredths, times mean little."""
        now, passed = _busy_of_others(), time.perf_counter() - self.wall
        if now is None or self.begun is None:
            return None
        return round(max(0.0, now - self.begun) / (passed * (os.cpu_count() or 1)), 3)


def _busy_of_others() -> float | None:
    """Seconds that all cores have spent on other processes since the system's start; None: not Linux."""
    with suppress(OSError):
        user, nice, system, _idle, _waiting, *more = (
            int(ticks) for ticks in Path("/proc/stat").read_text(encoding="utf-8").split("\n")[0].split()[1:9]
        )
        return (user + nice + system + sum(more)) / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])
    return None


def today() -> str:
    """The day of a measurement, as 2026-11-30."""
    return date.today().isoformat()
