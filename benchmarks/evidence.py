"""What benchmarks say of their figures: how sure they are, and on what they were taken."""

from __future__ import annotations

import math
import os
import platform
import statistics
from contextlib import suppress
from datetime import date
from pathlib import Path

INSTRUCTIONS = {"avx512f": "AVX512", "avx2": "AVX2"}  # flag of the processor -> its name; speed depends on it


def half_interval(values: list[float]) -> float:
    """Half of the 95 % interval of a mean (Student's t); infinite for one value, which says nothing of its spread."""
    from scipy.stats import t

    if len(values) < 2:
        return math.inf
    return float(t.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))


def processor() -> str:
    """The processor's name, how many cores there are, and the widest vector instructions: ``AMD EPYC x 2, AVX512``."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        about = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
        words = {name.strip(): text.strip() for name, text in about.items()}
        widest = next((word for flag, word in INSTRUCTIONS.items() if flag in words.get("flags", "").split()), None)
        if "model name" in words:
            return ", ".join([f"{words['model name']} x {os.cpu_count()}", *([widest] if widest else [])])
    return f"{platform.machine()} x {os.cpu_count()}"


def today() -> str:
    """The day of a measurement, as 2026-11-30."""
    return date.today().isoformat()
