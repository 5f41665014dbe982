"""ONNX Runtime on the CPU."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import onnxruntime

from inception_search.on_device.onnx_model import onnx_model
from inception_search.on_device.parts import Part, PlanError, images
from inception_search.on_device.runtime import Runtime, processor


class OnnxRuntime(Runtime):
    """ONNX Runtime on the CPU."""

    version = str(onnxruntime.__version__)

    def __init__(self, device: str, threads: int | None) -> None:
        if device != "cpu":
            raise PlanError(f"onnxruntime is timed on the device cpu only, not on {device!r}")
        self.options = onnxruntime.SessionOptions()
        self.options.log_severity_level = 3
        if threads is not None:
            self.options.intra_op_num_threads = threads
        self.threads = threads or os.cpu_count() or 1
        self.device = processor()

    def prepare(self, part: Part, batch_size: int) -> Callable[[], Any]:
        """As :meth:`Runtime.prepare`."""
        model = onnx_model(part, batch_size)
        session = onnxruntime.InferenceSession(model, self.options, providers=["CPUExecutionProvider"])
        values = images(part, batch_size)
        return lambda: session.run(None, values)[0]
