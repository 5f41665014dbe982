"""Runs one stage: ``python -m benchmarks.gpu_stages.run STAGE FILE --seconds N --scratch DIR``."""

from __future__ import annotations

import argparse
import platform
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

import inception_search as ins
from benchmarks.gpu_stages.task import Rows, Task

MODULES = {"tests": "suite", "trials": "rates", "step": "steps", "inference": "inference", "search": "searches"}


def facts(device: torch.device) -> dict[str, Any]:
    """The device and the versions."""
    found = {"device": "cpu", "python": platform.python_version(), "torch": torch.__version__}
    if device.type == "cuda":
        about = torch.cuda.get_device_properties(device)
        cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
        found |= {"device": about.name, "gib": round(about.total_memory / 2**30, 1), "cuda": torch.version.cuda}
        found |= {"cudnn": cudnn, "capability": f"{about.major}.{about.minor}"}
    return found | {"inception-search": ins.__version__}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=MODULES)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()
    device = torch.device("cpu") if options.dry_run else torch.device("cuda", 0)
    rows = Rows(options.file)
    end = time.monotonic() + options.seconds
    if options.dry_run:
        torch.set_num_threads(1)
    elif not torch.cuda.is_available():
        raise SystemExit("there is no CUDA device; --dry-run runs every stage on the CPU in small")
    rows.content["facts"] = facts(device)
    rows.write()
    stage = import_module(f"benchmarks.gpu_stages.{MODULES[options.stage]}")
    stage.run(Task(rows, device, options.dry_run, options.scratch, options.data, end))


if __name__ == "__main__":
    main()
