"""The runtimes that a plan can be timed with: a new one is a file and a row in :data:`RUNTIMES`."""

from __future__ import annotations

import importlib
import importlib.util
import platform
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from inception_search.on_device.parts import Part, PlanError

RUNTIMES = {
    "torch": "inception_search.on_device.torch_runtime:Torch",
    "onnxruntime": "inception_search.on_device.onnxruntime_runtime:OnnxRuntime",
    "openvino": "inception_search.on_device.openvino_runtime:OpenVino",
}
"""Where the class of each runtime is; a name is that of the package to install."""
CPUS = Path("/proc/cpuinfo")  # of Linux


class Runtime(ABC):
    """A runtime on one device of this machine.

    A class is made with the name of the device, such as ``"cpu"``, and the number of CPU threads (None: the runtime's
    own); it raises PlanError if the runtime has no such device.
    """

    version: ClassVar[str]
    device: str
    """The model of the processor or card."""
    threads: int

    @abstractmethod
    def prepare(self, part: Part, batch_size: int) -> Callable[[], Any]:
        """A function that computes a part once and returns its output as an array.

        Raises PlanError for an operator that the runtime lacks.
        """

    def wait(self) -> None:  # noqa: B027 - runtimes on a CPU need no more
        """Wait until all work is done; on a CPU it is done when a call returns."""


def open_runtime(name: str, device: str = "cpu", threads: int | None = None) -> Runtime:
    """The runtime ``name``; raises PlanError if it is unknown or not installed, or lacks the device."""
    if name not in RUNTIMES:
        raise PlanError(f"there is no runtime {name!r}; there are {', '.join(RUNTIMES)}")
    if importlib.util.find_spec(name) is None:
        here = [each for each in RUNTIMES if importlib.util.find_spec(each) is not None]
        hint = f"give --runtime {here[0]}, or install it" if here else "install it"
        raise PlanError(f"{name} is not installed; {hint} (pip install {name})")
    module, _, kind = RUNTIMES[name].partition(":")
    found: Callable[[str, int | None], Runtime] = getattr(importlib.import_module(module), kind)
    return found(device, threads)


def processor() -> str:
    """The model of the CPU, or its architecture if the system does not report the model."""
    try:
        lines = CPUS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for name in ("model name", "Hardware", "Model"):
        for line in lines:
            if line.startswith(name) and line.partition(":")[2].strip():
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
