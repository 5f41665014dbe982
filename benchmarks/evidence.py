"""What benchmarks say of their figures: how sure they are, and on what they were taken."""

from __future__ import annotations

import math
import os
import platform
import statistics
from contextlib import suppress
from pathlib import Path


def half_interval(values: list[float]) -> float:
    """Half of the 95 % interval of a mean (Student's t); infinite for one value, which says nothing of its spread."""
    from scipy.stats import t

    if len(values) < 2:
        return math.inf
    return float(t.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))


def processor() -> str:
    """The processor's name and how many cores there are."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.split(':')[1].strip()} x {os.cpu_count()}"
    return f"{platform.machine()} x {os.cpu_count()}"
