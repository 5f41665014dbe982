"""Peak memory of one inference, measured in a process of its own (Linux).

    python benchmarks/peak_memory.py VARIANT NETWORK BATCH       prints JSON; benchmarks/inference.py runs it

``whole`` is all that the network takes at its peak: weights, prepared weights and everything computed. ``inference`` is
what the first inference adds to the memory in use after the network was loaded and prepared.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import statistics
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

PROCESS = Path("/proc/self")


def peak_memory(variant: str, network: str, batch: int, repeats: int) -> dict[str, float]:
    """Medians over ``repeats`` processes, in MB."""
    command = [sys.executable, __file__, variant, network, str(batch)]
    done = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(repeats)]
    answers = [json.loads(one.stdout.splitlines()[-1]) for one in done]
    return {name: round(statistics.median(answer[name] for answer in answers), 1) for name in answers[0]}


def megabytes(field: str) -> float:
    """A field of the process's status: ``VmRSS`` is the memory in use, ``VmHWM`` its peak."""
    lines = (PROCESS / "status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) * 1024 / 1e6


def settle() -> float:
    """Give memory that is free back to the system; the megabytes still in use."""
    gc.collect()
    with suppress(OSError, AttributeError):  # only glibc keeps freed memory and has a call that returns it
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    return megabytes("VmRSS")


def main() -> None:
    import torch
    from peers import Task, all_makers, reference

    variant, network, batch = sys.argv[1], sys.argv[2], int(sys.argv[3])
    torch.set_grad_enabled(False)
    task = Task(network, batch, os.cpu_count() or 1)
    reference(network)  # imports the package
    assert task.images.shape[0] == batch  # makes the images: neither they nor imports are part of the network
    empty = settle()
    call = all_makers(batch)[variant](task)
    del task
    loaded = settle()
    (PROCESS / "clear_refs").write_text("5")  # the peak starts anew from here
    call()
    peak = megabytes("VmHWM")
    print(json.dumps({"whole": peak - empty, "inference": peak - loaded}))


if __name__ == "__main__":
    main()
