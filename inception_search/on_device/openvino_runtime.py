"""OpenVINO on one of its devices."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import openvino

from inception_search.on_device.onnx_model import onnx_model
from inception_search.on_device.parts import Part, PlanError, images
from inception_search.on_device.runtime import Runtime


class OpenVino(Runtime):
    """OpenVINO with float32 numbers, for the shortest time of one request."""

    version = str(openvino.__version__).split("-")[0]

    def __init__(self, device: str, threads: int | None) -> None:
        self.core = openvino.Core()
        self.name = device.upper()
        if self.name not in self.core.available_devices:
            raise PlanError(f"openvino has no device {device!r}; it has {', '.join(self.core.available_devices)}")
        self.settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        if threads is not None and self.name == "CPU":
            self.settings["INFERENCE_NUM_THREADS"] = threads
        self.threads = threads or os.cpu_count() or 1
        self.device = str(self.core.get_property(self.name, "FULL_DEVICE_NAME")).strip()

    def prepare(self, part: Part, batch_size: int) -> Callable[[], Any]:
        """As :meth:`Runtime.prepare`."""
        model = self.core.read_model(onnx_model(part, batch_size))
        request = self.core.compile_model(model, self.name, self.settings).create_infer_request()
        for name, value in images(part, batch_size).items():
            request.get_tensor(name).data[:] = value
        output = request.get_output_tensor(0)

        def call() -> Any:
            request.infer()
            return output.data

        return call
